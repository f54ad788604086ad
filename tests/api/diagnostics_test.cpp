// The results that tell of others: rcond against condition numbers that are known exactly, and how rcond and error
// stand beside other results.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

std::vector<double> hilbert(int n) {
    std::vector<double> h;
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
            h.push_back(1.0 / (i + j + 1));
        }
    }
    return h;
}

/// rcond of the value of f at one square matrix.
double rcond_of(const std::string& f, const std::string& declaration, std::vector<double> x) {
    const auto n = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(x.size()))));
    const Plan plan = make_plan(parse(f, {declaration}), {batched("X", n, n)}, {.rcond = true});
    std::vector<double> value(1);
    std::vector<double> rcond(1);
    plan.run({x}, {value, rcond});
    return rcond[0];
}

TEST(Rcond, IsTheReciprocalConditionInThe1Norm) {
    // Todd, "The condition of the finite segments of the Hilbert matrix" (1954), and by exact inverses: the
    // condition numbers of Hilbert matrices in the 1-norm are 27, 748, 28375 and 943656.
    const double conditions[] = {27, 748, 28375, 943656};
    for (int n = 2; n <= 5; ++n) {
        const double known = conditions[n - 2];
        EXPECT_NEAR(rcond_of("tr(inv(X))", "X=n,n", hilbert(n)) * known, 1, 1e-9) << n;
        EXPECT_NEAR(rcond_of("logdet(X)", "X=n,n:spd", hilbert(n)) * known, 1, 1e-9) << n;
        EXPECT_NEAR(rcond_of("det(X)", "X=n,n", hilbert(n)) * known, 1, 1e-9) << n;
    }
    EXPECT_EQ(rcond_of("tr(inv(X))", "X=n,n", {1, 0, 0, 1}), 1);
    EXPECT_EQ(rcond_of("det(X)", "X=n,n:lower", {4, 0, 0, 1}), 0.25);
}

TEST(Rcond, OfSeveralMatricesIsTheLeast) {
    EXPECT_EQ(rcond_of("tr(inv(X)) + logdet(X + 100*eye(n))", "X=n,n", {100, 0, 0, 1}), 0.01);
    EXPECT_EQ(rcond_of("tr(inv(X + 900*eye(n))) + logdet(X)", "X=n,n", {100, 0, 0, 1}), 0.01);
}

TEST(Rcond, OfASingularMatrixIs0AndOfNoneIs1) {
    EXPECT_EQ(rcond_of("det(X)", "X=n,n", {1, 2, 2, 4}), 0);
    EXPECT_EQ(rcond_of("det(X)", "X=n,n", {0, 0, 0, 0}), 0);
    EXPECT_EQ(rcond_of("tr(X'*X)", "X=n,n", {1, 2, 2, 4}), 1);
    EXPECT_TRUE(std::isnan(rcond_of("tr(inv(X))", "X=n,n", {1, 2, 2, 4})));  // which fails
}

TEST(Diagnostics, AreTheLastResultsAndChangeNoOther) {
    const std::vector<double> x{2, 1, 0.5, 3, 1, 0, 0, 1};
    PlanOptions options{.wrt = {"X"}};
    const Expr f = parse("logdet(X) + sum(X)", {"X=n,n"});
    const Plan plain = make_plan(f, {batched("X", 2, 2)}, options);
    options.rcond = options.error = true;
    const Plan plan = make_plan(f, {batched("X", 2, 2)}, options);
    ASSERT_EQ(plan.outputs().size(), 5U);
    EXPECT_EQ(plan.outputs()[2].text(), "rcond");
    EXPECT_EQ(plan.outputs()[3].text(), "error value");
    EXPECT_EQ(plan.outputs()[4].text(), "error gradient X");
    std::vector<double> value(2), gradient(8), rcond(2), of_value(2), of_gradient(2);
    plan.run({x}, {value, gradient, rcond, of_value, of_gradient});
    std::vector<double> other_value(2), other_gradient(8);
    plain.run({x}, {other_value, other_gradient});
    EXPECT_EQ(value, other_value);
    EXPECT_EQ(gradient, other_gradient);
    EXPECT_EQ(rcond[1], 1);
    for (int b = 0; b < 2; ++b) {
        EXPECT_GT(of_value[b], 0);
        EXPECT_LT(of_value[b], 1e-14);
        EXPECT_LT(of_gradient[b], 1e-14);
    }
    const CheckReport report = plan.check({x}, {value, gradient, rcond, of_value, of_gradient});
    EXPECT_TRUE(report.passed());
    EXPECT_EQ(report.outputs.size(), 2U);
}

/// A sum over the batch has a bound for each problem's part, and what is asked for is still summed.
TEST(Diagnostics, OfSumsAreOfEachProblem) {
    const std::vector<double> x{1, 2, 3, 4};
    const Plan plan =
        make_plan(parse("norm2(w.*x)^2", {"w=n", "x=n"}), {shared("w", 2), batched("x", 2)},
                  {.reduction = Reduction::sum, .wrt = {"w"}, .error = true});
    const std::vector<double> w{1, 1};
    double value = 0;
    std::vector<double> gradient(2), of_value(2), of_gradient(2);
    plan.run({{"w", row_major(w.data(), 2, 1)}, {"x", row_major(x.data(), 2, 1).batched(2)}},
             {{"value", row_major(&value, 1, 1)},
              {"gradient w", row_major(gradient.data(), 2, 1)},
              {"error value", row_major(of_value.data(), 1, 1).batched(2)},
              {"error gradient w", row_major(of_gradient.data(), 1, 1).batched(2)}});
    EXPECT_EQ(value, 30);
    EXPECT_EQ(gradient, (std::vector<double>{20, 40}));
    for (int b = 0; b < 2; ++b) {
        EXPECT_LT(of_value[b], 1e-14);
        EXPECT_LT(of_gradient[b], 1e-14);
    }
}

TEST(Error, IsInfiniteWhereNoDigitIsSure) {
    // 1 - cos(x) at 1e-9 is 5e-19, and computed so it is 0.
    const Plan plan =
        make_plan(parse("sum(1 - cos(x))", {"x=n"}), {batched("x", 1)}, {.error = true});
    std::vector<double> x{1e-9, 1}, value(2), error(2);
    plan.run({x}, {value, error});
    EXPECT_EQ(error[0], std::numeric_limits<double>::infinity());
    EXPECT_LT(error[1], 1e-14);
}

/// Entries near 1 + 1e-3*random: X'*C*X has one singular value of 1e3 and others below the roundings of float, which
/// make it a matrix of another kind: results agree with each other, and not with the truth.
TEST(Error, OfAMatrixThatIsSingularButForRoundingsIsInfinite) {
    constexpr std::int64_t kProblems = 60;
    constexpr std::int64_t m = 24;
    constexpr std::int64_t n = 16;
    const auto near_one = [](std::int64_t count, std::uint64_t seed) {
        std::vector<float> numbers = test::random_numbers<float>(count, seed);
        for (float& x : numbers) {
            x = 1 + 1e-3F * x;
        }
        return numbers;
    };
    const std::vector<float> x = near_one(kProblems * m * n, 1);
    std::vector<float> c[] = {near_one(kProblems * m * m, 2), near_one(kProblems * m * m, 3)};
    for (std::vector<float>& symmetric : c) {
        for (std::int64_t p = 0; p < kProblems; ++p) {
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t j = 0; j < i; ++j) {
                    symmetric[static_cast<std::size_t>((p * m + j) * m + i)] =
                        symmetric[static_cast<std::size_t>((p * m + i) * m + j)];
                }
            }
        }
    }
    const Plan plan =
        make_plan(parse("tr(inv(X'*B*X)*(X'*C*X))", {"X=m,n", "B=m,m:sym", "C=m,m:sym"}),
                  {batched("X", m, n), batched("B", m, m), batched("C", m, m)},
                  {.type = ScalarType::float32, .accuracy = Accuracy::fast, .error = true});
    std::vector<float> value(kProblems), error(kProblems);
    std::vector<std::int32_t> status(kProblems, -1);
    plan.run({{"X", row_major(x.data(), m, n).batched(kProblems)},
              {"B", row_major(c[0].data(), m, m).batched(kProblems)},
              {"C", row_major(c[1].data(), m, m).batched(kProblems)}},
             {{"value", row_major(value.data(), 1, 1).batched(kProblems)},
              {"error value", row_major(error.data(), 1, 1).batched(kProblems)}},
             status);
    int answered = 0;
    for (std::size_t p = 0; p < kProblems; ++p) {
        if (status[p] == 0) {
            ++answered;
            EXPECT_EQ(error[p], std::numeric_limits<float>::infinity()) << value[p];
        }
    }
    EXPECT_GT(answered, 5);
}

TEST(Error, CannotBeLinearized) {
    const Plan plan = make_plan(parse("sum(x.^3)", {"x=n"}), {batched("x", 2), batched("v", 2)},
                                {.hvp = {{"x", "v"}}, .error = true});
    const std::vector<double> x{1, 2};
    EXPECT_THROW((void)plan.linearize({{"x", row_major(x.data(), 2, 1).batched(1)}}),
                 UnsupportedError);
}

}  // namespace
}  // namespace matgrad
