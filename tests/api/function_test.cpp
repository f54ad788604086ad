// A function answers from text to gradients, and finds its plans again.

#include "matgrad/function.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const CallerError& error) {
        return error.what();
    } catch (const std::exception& error) {
        return std::string("another exception: ") + error.what();
    }
    return "no exception";
}

Function gaussian() {
    return {"-logdet(P) + tr(S*P)", "P", {"P=n,n:spd", "S=n,n:sym"}};
}

TEST(Function, PrintsItsGradient) {
    EXPECT_EQ(to_text(gaussian().gradient()), "S - inv(P)");
    EXPECT_EQ(to_text(gaussian().gradient("S")), "P");
    const Function f("norm2(A*x - b)^2", {"x", "A"});
    EXPECT_EQ(f.variables(), (std::vector<std::string>{"x", "A"}));
    EXPECT_EQ(f.derivation().gradients.size(), 2U);
    EXPECT_EQ(to_text(f.expression()), "norm2(A*x - b)^2");
}

TEST(Function, ComposesWithWhatIsAddedToIt) {
    const Expr P = symbol("P=n,n:spd");
    const Function f = gaussian() + 0.1 * pow(norm2(P), 2);
    EXPECT_EQ(to_text(f.gradient()), "0.2*P + S - inv(P)");
    std::ostringstream out;
    out << (2 * gaussian() - tr(P)).gradient("S");
    EXPECT_EQ(out.str(), "2*P");
    const Function both = Function("tr(A*X)", "X") + Function("tr(A*X)", "A");
    EXPECT_EQ(both.variables(), (std::vector<std::string>{"X", "A"}));
    EXPECT_EQ(both.expression(), parse("2*tr(A*X)"));
    EXPECT_NE(message_of([&] { (void)(gaussian() + norm2(symbol("P=n,n"))); }).find("P"),
              std::string::npos);
    EXPECT_EQ(message_of([] {
                  (void)(Function("tr(X)", "X", {}, {.threads = 1}) + Function("tr(X)", "X"));
              }),
              "two functions with different options are added: expected the same");
}

TEST(Function, CallsTheDimensionsOfWhatIsAddedAsItsOwn) {
    const Function f = Function("norm2(A*x - b)^2", "x") + 0.1 * parse("norm2(x)^2");
    EXPECT_EQ(f.gradient(), parse("2*A'*(A*x - b) + 0.2*x", symbols(f.expression())));
    const Function g = Function("norm2(A*x - b)^2", "x") + Function("norm2(C*x)^2", "x");
    EXPECT_EQ(g.gradient(), parse("2*(A'*(A*x - b) + C'*C*x)", symbols(g.expression())));
}

TEST(FunctionErrors, AreFoundWhenAFunctionIsMade) {
    EXPECT_NE(message_of([] {
                  (void)Function("norm2(x)^2", "x", {}, {.hvp = {{"z", "v"}}});
              }).find("z"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  (void)(Function("norm2(x)^2", "x", {}, {.hvp = {{"x", "v"}}}) + parse("v'*w"));
              }).find("direction v occurs"),
              std::string::npos);
    EXPECT_EQ(message_of([] { (void)Function("norm2(x)^2", {}).gradient(); }),
              "the function has no variable: expected one that it is differentiated by");
}

TEST(Function, RefusesSizesThatNoMemoryHolds) {
    const Function f("norm2(X)^2", "X");
    const double x = 1;
    const auto thrown_by = [&](const ConstView& view) {
        try {
            (void)f.evaluate({{"X", view}});
        } catch (const Error&) {
            return true;
        }
        return false;
    };
    EXPECT_TRUE(thrown_by(strided(&x, 1, 1, 0, 0).batched(std::int64_t{1} << 62, 0)));
    EXPECT_TRUE(thrown_by(strided(&x, 1, 1, 0, 0).batched(std::int64_t{1} << 50, 0)));
    EXPECT_TRUE(thrown_by(strided(&x, std::int64_t{1} << 56, 1, 0, 0)));
    EXPECT_THROW(Matrices(ScalarType::float64, -1, 5), OperandError);
    EXPECT_THROW(Matrices(ScalarType::float64, std::int64_t{1} << 62, 5), MachineError);
    EXPECT_THROW(Workspace(std::numeric_limits<std::size_t>::max()), MachineError);
    EXPECT_EQ(message_of([] {
                  (void)make_plan(parse("tr(X)"), {shared("X", 1, 1)}, {.threads = 1 << 30});
              }),
              "threads is 1073741824: expected 0 to 4096");
}

TEST(Function, OfTwoProblemsHasTheTextbookValuesAndGradients) {
    const std::vector<double> p{2, 0, 0, 4, 1, 0, 0, 1}, s{1, 0, 0, 1};
    const auto [value, gradient, status] = gaussian().value_and_gradient(
        {{"P", row_major(p, 2, 2).batched(2)}, {"S", row_major(s, 2, 2)}});
    EXPECT_EQ(value.count(), 2);
    EXPECT_NEAR(value[0], 6 - std::log(8.0), 1e-14);
    EXPECT_NEAR(value[1], 2, 1e-14);
    EXPECT_NEAR(gradient(0, 0, 0), 0.5, 1e-15);
    EXPECT_NEAR(gradient(0, 1, 1), 0.75, 1e-15);
    EXPECT_NEAR(gradient(1, 0, 0), 0, 1e-15);
    EXPECT_EQ(status, (std::vector<std::int32_t>{0, 0}));
}

TEST(Function, TakesFloatsAndMatricesOfEigen) {
    Eigen::MatrixXf a(2, 3);
    a << 1, 2, 3, 4, 5, 6;
    const Eigen::VectorXf x = Eigen::VectorXf::Constant(3, 1);
    const std::vector<float> b{6, 15}, c{5, 15};
    const Function f("norm2(A*x - b)^2", "x");
    const auto [value, gradient, status] = f.value_and_gradient({{"A", a}, {"x", x}, {"b", b}});
    EXPECT_EQ(value.type(), ScalarType::float32);
    EXPECT_TRUE(value.is_one());
    EXPECT_EQ(value[0], 0);
    EXPECT_EQ(gradient.rows(), 3);
    EXPECT_EQ(gradient(2, 0), 0);
    const Results again = f.evaluate({{"A", a}, {"x", x}, {"b", c}}, "gradient x");
    EXPECT_EQ(again.gradient("x")(2, 0), 6);  // 2*A'*(A*x - b) = 2*(1, 2, 3)
    EXPECT_EQ(again["gradient x"].entries<float>().size(), 3U);
    EXPECT_EQ(message_of([&] { (void)again.value(); }),
              "result value is unknown: expected gradient x");
    EXPECT_EQ(message_of([&] { (void)again["gradient x"].entries<double>(); }),
              "the entries are of type float: expected entries<float>()");
    EXPECT_EQ(message_of([&] { (void)again["gradient x"](0, 3, 0); }),
              "entry 3,0 of problem 0 is not there: found 1 matrices of 3-by-1");
}

TEST(Function, ComputesWhatIsNamedAlone) {
    const Function f("x'*A*x", {"x", "A"}, {}, {.hvp = {{"x", "v"}}});
    const std::vector<double> a{1, 2, 3, 4}, x{1, 1}, v{1, 0};
    std::vector<double> hvp(2);
    double value = 0;
    const ConstView A = row_major(a, 2, 2);
    f.run({{"A", A}, {"x", x}, {"v", v}}, {{"hvp x", hvp}, {"value", value}});
    EXPECT_EQ(value, 10);
    EXPECT_EQ(hvp, (std::vector<double>{2, 5}));  // (A + A')*v
    EXPECT_EQ(f.value({{"A", A}, {"x", x}})[0], 10);
    EXPECT_EQ(message_of([&] {
                  f.run({{"A", A}, {"x", x}}, {{"gradient b", hvp}});
              }),
              "result gradient b is unknown: expected value, gradient x, gradient A, hvp x");
}

TEST(Function, FindsAPlanAgainAndKeepsABoundedNumber) {
    const Function f("norm2(x)^2", "x");
    const auto plan_of = [&](std::int64_t n, std::int64_t batch) {
        const double* const nowhere = nullptr;
        return f.plan({{"x", column(nowhere, n).batched(batch)}});
    };
    const auto same = [](const Plan& a, const Plan& b) { return &a.operands() == &b.operands(); };
    const Plan first = plan_of(1, 100);
    EXPECT_TRUE(same(first, plan_of(1, 100)));
    EXPECT_TRUE(same(first, plan_of(1, 65)));
    EXPECT_FALSE(same(first, plan_of(1, 100000)))
        << "a batch of another order of magnitude is weighed anew";
    EXPECT_FALSE(same(first, plan_of(2, 100)));
    for (std::int64_t n = 3; n < 2 + static_cast<std::int64_t>(Function::kMostPlans); ++n) {
        EXPECT_TRUE(same(first, plan_of(1, 100))) << "what is in use is kept";
        (void)plan_of(n, 100);
    }
    EXPECT_FALSE(same(plan_of(2, 100), plan_of(3, 100)));
    f.release();
    EXPECT_FALSE(same(first, plan_of(1, 100)));
    EXPECT_EQ(first, plan_of(1, 100));
}

TEST(FunctionErrors, NameTheMistake) {
    EXPECT_EQ(message_of([] { const Function f("A*x", "x"); }).substr(0, 35),
              "the function is m-by-1: expected a ");
    EXPECT_NE(message_of([] { const Function f("norm2(x)", "y"); }).find("y"), std::string::npos);
    EXPECT_EQ(
        message_of([] { (void)Function("norm2(x)", {"x"}).gradient("z"); }).find("no exception"),
        std::string::npos);
    EXPECT_EQ(message_of([] {
                  (void)Function("norm2(A*x)", {"A", "x"}).gradient();
              }),
              "the function has 2 variables: expected the name of one of A, x");
    const std::vector<double> four(4), three(3);
    const std::vector<float> floats(2);
    const Function f("norm2(A*x)", "x");
    EXPECT_EQ(message_of([&] {
                  (void)f.value({{"A", four}, {"x", three}});
              }),
              "operand A has 4 entries and no sizes: expected m-by-n, row_major(A, rows, cols)");
    EXPECT_EQ(message_of([&] {
                  (void)f.value({{"A", row_major(four, 2, 2)}, {"x", floats}});
              }),
              "operand x is of type float: expected double, as A is");
    EXPECT_EQ(message_of([&] {
                  (void)f.value({{"A", row_major(four, 2, 2)}});
              }),
              "operand x is missing: the function needs x (n-by-1)");
    EXPECT_EQ(message_of([&] {
                  (void)f.value({{"A", row_major(four, 2, 2)}, {"y", three}});
              }),
              "operand y is not used: the function has A, x");
    EXPECT_EQ(message_of([&] { (void)f.value({row_major(four, 2, 2)}); }),
              "an operand has no name: expected all of them by name");
    EXPECT_NE(message_of([&] {
                  (void)f.value({{"A", row_major(four, 2, 2)}, {"x", three}});
              }).find("x is 3-by-1"),
              std::string::npos);
}

}  // namespace
}  // namespace matgrad
