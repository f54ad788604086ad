// Values and gradients where the text, read as it stands, would overflow, or where a derivative is one of
// several. What is expected is worked out by hand or by long double loops, not by matgrad.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

/// f of one operand x, a matrix or a column, with its gradient and what the gradient is along `direction`.
struct EdgeCase {
    std::string f;
    std::string declaration;
    std::vector<double> x;
    double value;
    std::vector<double> gradient;
};

template <typename T>
struct Answer {
    T value = -7;
    std::vector<T> gradient, product;
};

template <typename T>
Answer<T> answer_of(const EdgeCase& c) {
    const Expr f = parse(c.f, {c.declaration});
    const Declaration x = symbols(f).front();
    const auto size = static_cast<std::int64_t>(c.x.size());
    std::int64_t rows = size;
    std::int64_t cols = 1;
    if (!x.shape.cols.is_one()) {
        rows = x.shape.rows.is_one() ? 1 : 2;
        cols = size / rows;
    }
    PlanOptions options;
    options.type = sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;
    options.wrt = {x.name};
    options.hvp = {{x.name, "V"}};
    const std::vector<Operand> operands{{x.name, rows, cols, false}, {"V", rows, cols, false}};
    const Plan plan = make_plan(f, operands, options);
    std::vector<T> at(c.x.begin(), c.x.end());
    std::vector<T> along(c.x.size(), T(1));
    Answer<T> answer;
    answer.gradient.assign(c.x.size(), T(-7));
    answer.product.assign(c.x.size(), T(-7));
    plan.run(
        {{x.name, row_major(at.data(), rows, cols)}, {"V", row_major(along.data(), rows, cols)}},
        {{"value", row_major(&answer.value, 1, 1)},
         {"gradient " + x.name, row_major(answer.gradient.data(), rows, cols)},
         {"hvp " + x.name, row_major(answer.product.data(), rows, cols)}});
    return answer;
}

/// A few roundings of numbers as large as the value and of 1.
template <typename T>
void expect_answer(const EdgeCase& c) {
    SCOPED_TRACE(c.f + (sizeof(T) == sizeof(float) ? " in float" : " in double"));
    const Answer<T> found = answer_of<T>(c);
    const double eps = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
    EXPECT_NEAR(found.value, c.value, eps * std::max(1.0, std::abs(c.value)));
    for (std::size_t i = 0; i < c.x.size(); ++i) {
        EXPECT_NEAR(found.gradient[i], c.gradient[i], eps * std::max(1.0, std::abs(c.gradient[i])))
            << "entry " << i;
        EXPECT_FALSE(std::isnan(found.product[i])) << "entry " << i << " of the product";
    }
}

const double kLog2 = std::log(2.0);
const std::vector<double> kFar{-3000, 0, 3000};
const std::vector<double> kRows{-3000, 0, 3000, 3000, 2999, -3000};  // 2-by-3
/// softmax of (1, 0)
const double kMore = 1 / (1 + std::exp(-1.0));
const double kLess = 1 - kMore;

const EdgeCase kOverflowing[] = {
    {"sum(log(1 + exp(x)))", "x=n", kFar, 3000 + kLog2, {0, 0.5, 1}},
    {"sum(log(exp(-x) + 1))", "x=n", kFar, 3000 + kLog2, {-1, -0.5, 0}},
    {"sum(log1p(exp(2*x)))", "x=n", kFar, 6000 + kLog2, {0, 1, 2}},
    {"sum(log(sigmoid(x)))", "x=n", kFar, -3000 - kLog2, {1, 0.5, 0}},
    {"sum(log(1 - sigmoid(x)))", "x=n", kFar, -3000 - kLog2, {0, -0.5, -1}},
    {"sum(log(exp(x)))", "x=n", kFar, 0, {1, 1, 1}},
    {"log(sum(exp(x)))", "x=n", kFar, 3000, {0, 0, 1}},
    {"log(1 + sum(exp(x)))", "x=n", kFar, 3000, {0, 0, 1}},
    {"sum(1 ./ (1 + exp(-x)))", "x=n", kFar, 1.5, {0, 0.25, 0}},
    {"sum(exp(x)./(1 + exp(x)))", "x=n", kFar, 1.5, {0, 0.25, 0}},
    {"x'*exp(x)/sum(exp(x))", "x=n", kFar, 3000, {0, 0, 1}},
    {"sum(log(rowsum(exp(X))))",
     "X=m,n",
     kRows,
     6000 - std::log(kMore),
     {0, 0, 1, kMore, kLess, 0}},
    {"sum(log(colsum(exp(X))))", "X=m,n", kRows, 3000 + 2999 + 3000, {0, 0, 1, 1, 1, 0}},
    {"sum(log(colsum(exp(X')))')",
     "X=m,n",
     kRows,
     6000 - std::log(kMore),
     {0, 0, 1, kMore, kLess, 0}},
    {"sum((exp(X)./(rowsum(exp(X))*ones(1,n))).^2)",
     "X=m,n",
     kRows,
     1 + kMore* kMore + kLess* kLess,
     {0, 0, 0, 2 * kMore* kLess*(kMore - kLess), -2 * kMore* kLess*(kMore - kLess), 0}},
    {"sum((inv(diag(rowsum(exp(X))))*exp(X)).^2)",
     "X=m,n",
     kRows,
     1 + kMore* kMore + kLess* kLess,
     {0, 0, 0, 2 * kMore* kLess*(kMore - kLess), -2 * kMore* kLess*(kMore - kLess), 0}},
};

TEST(Edges, FormsThatPeopleWriteDoNotOverflow) {
    for (const EdgeCase& c : kOverflowing) {
        expect_answer<double>(c);
        expect_answer<float>(c);
    }
}

const EdgeCase kNormsAt0[] = {
    {"norm2(x)", "x=n", {0, 0}, 0, {0, 0}},
    {"norm2(X)", "X=m,n", {0, 0, 0, 0, 0, 0}, 0, {0, 0, 0, 0, 0, 0}},
    {"norm2(x)^1.5", "x=n", {0, 0}, 0, {0, 0}},
    {"norm2(x)^3", "x=n", {0, 0}, 0, {0, 0}},
    {"2*norm2(x) + sum(x)", "x=n", {0, 0}, 0, {1, 1}},
    {"exp(-norm2(x - ones(n,1)))", "x=n", {1, 1}, 1, {0, 0}},
    {"norm2(x)", "x=n", {3, 4}, 5, {0.6, 0.8}},
    {"norm2(x)^3", "x=n", {3, 4}, 125, {45, 60}},
};

TEST(Edges, ANormAndItsPowersHaveTheSubgradient0WhereTheyAre0) {
    for (const EdgeCase& c : kNormsAt0) {
        expect_answer<double>(c);
        expect_answer<float>(c);
    }
}

TEST(Edges, NormsNeitherOverflowNorUnderflow) {
    for (const double scale : {1e200, 1e-200}) {
        const Answer<double> found =
            answer_of<double>({"norm2(x)", "x=n", {3 * scale, 4 * scale}, 0, {}});
        EXPECT_NEAR(found.value / scale, 5, 1e-14);
        EXPECT_NEAR(found.gradient[0], 0.6, 1e-15);
        EXPECT_NEAR(found.gradient[1], 0.8, 1e-15);
    }
    for (const double scale : {1e30, 1e-30}) {
        const Answer<float> found =
            answer_of<float>({"norm2(x)", "x=n", {3 * scale, 4 * scale}, 0, {}});
        EXPECT_NEAR(found.value / scale, 5, 1e-5);
        EXPECT_NEAR(found.gradient[0], 0.6, 1e-6);
        EXPECT_NEAR(found.gradient[1], 0.8, 1e-6);
    }
}

TEST(Edges, ANormBelowIsNotTakenFor0) {
    const Answer<double> of_inverse = answer_of<double>({"1/norm2(x)", "x=n", {0, 0}, 0, {}});
    EXPECT_EQ(of_inverse.value, std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(of_inverse.gradient[0]));
    // By another variable the norm is a number like any other.
    const Expr f = parse("t/norm2(x)", {"x=n", "t=1"});
    PlanOptions options;
    options.wrt = {"t"};
    const Plan plan =
        make_plan(f, std::vector<Operand>{{"t", 1, 1, false}, {"x", 2, 1, false}}, options);
    const double t = 1;
    const double x[] = {0, 0};
    double value = -7;
    double slope = -7;
    plan.run({{"t", row_major(&t, 1, 1)}, {"x", row_major(x, 2, 1)}},
             {{"value", row_major(&value, 1, 1)}, {"gradient t", row_major(&slope, 1, 1)}});
    EXPECT_EQ(slope, std::numeric_limits<double>::infinity());
}

TEST(Edges, ConstantsThatAreNoNumbersReachTheResult) {
    EXPECT_TRUE(
        std::isnan(answer_of<double>({"0/0*sum(x) + sum(x.^2)", "x=n", {1, 2}, 0, {}}).value));
    EXPECT_TRUE(std::isnan(answer_of<double>({"0/0 + sum(x.^2)", "x=n", {1, 2}, 0, {}}).value));
    EXPECT_TRUE(std::isnan(answer_of<float>({"0*log(0) + sum(x.^2)", "x=n", {1, 2}, 0, {}}).value));
    EXPECT_EQ(answer_of<double>({"1/0 + sum(x.^2)", "x=n", {1, 2}, 0, {}}).value,
              std::numeric_limits<double>::infinity());
}

TEST(Edges, TheLogarithmOfADeterminantKeepsItsSign) {
    // det = 1e200*1e200 overflows, and with two rows swapped it is negative.
    const EdgeCase large{
        "log(det(X))", "X=n,n", {1e200, 0, 0, 1e200}, 400 * std::log(10.0), {1e-200, 0, 0, 1e-200}};
    const Answer<double> found = answer_of<double>(large);
    EXPECT_NEAR(found.value, large.value, 1e-10);
    EXPECT_NEAR(found.gradient[0] * 1e200, 1, 1e-14);
    EXPECT_TRUE(std::isnan(answer_of<double>({"log(det(X))", "X=n,n", {0, 2, 3, 1}, 0, {}}).value));
    EXPECT_NEAR(answer_of<double>({"log(det(X))", "X=n,n", {0, -2, 3, 1}, 0, {}}).value,
                std::log(6.0), 1e-15);
    EXPECT_NEAR(answer_of<double>({"log(det(X)^2)", "X=n,n", {0, 2, 3, 1}, 0, {}}).value,
                2 * std::log(6.0), 1e-15);
}

}  // namespace
}  // namespace matgrad
