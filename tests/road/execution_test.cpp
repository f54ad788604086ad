// The whole road: text, gradient, Program, executor, against the oracle. Every row of the table,
// operands shared and batched, float and double, in sizes small and large.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "road/road_check.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"

namespace matgrad {
namespace {

/// Where cases are dear, a row has one small case in each type, and a sum or a mean.
bool takes_both_of_two() {
    return test_device().every <= 4;
}

/// A few functions do where cases are dear.
bool takes_more_cases(const std::string& text) {
    return text.size() % static_cast<std::size_t>(test_device().every) == 0;
}

class Road : public testing::TestWithParam<CookbookRow> {
protected:
    [[nodiscard]] Expr f() const { return parse(GetParam().f, GetParam().declarations); }
    /// The text of the row tells the one of two that it has.
    static bool has_first() { return GetParam().f.size() % 2 == 0; }
    static std::vector<Case> cases(ScalarType type) {
        const Sizes sizes = {{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}};
        std::vector<Case> cases = {{sizes, Batched::all, 5}, {sizes, Batched::variable, 37}};
        if (!takes_both_of_two()) {
            cases.erase(cases.begin() + (has_first() == (type == ScalarType::float64) ? 1 : 0));
        }
        if (takes_more_cases(GetParam().f)) {
            cases.push_back({{{"m", 2}, {"n", 1}, {"p", 3}, {"q", 1}}, Batched::all, 3});
            cases.push_back({{{"m", 150}, {"n", 65}, {"p", 33}, {"q", 17}}, Batched::variable, 2});
        }
        return cases;
    }
    /// Holds every case against the oracle; all but so many problems must have something to compare.
    template <typename T>
    void expect_row(int undetermined) const {
        int compared = 0;
        int problems = 0;
        for (const Case& c : cases(sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64)) {
            compared += matgrad::expect_row<T>(f(), GetParam().wrt, c, Accuracy::robust);
            problems += static_cast<int>(c.batch);
        }
        EXPECT_GT(compared, std::max(problems - undetermined, problems / 2));
    }
};

TEST_P(Road, DoubleAgreesWithTheOracle) {
    expect_row<double>(7);  // at n = 1 the gradient of a ratio is zero
}

TEST_P(Road, RobustFloatAgreesWithTheOracle) {
    expect_row<float>(17);  // some determinants lie beyond the range of float
}

TEST_P(Road, SumsAndMeansOverTheBatchAgreeWithTheOracle) {
    const Sizes sizes = {{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}};
    if (takes_both_of_two() || has_first()) {
        EXPECT_EQ(expect_reduced_row<double>(f(), GetParam().wrt,
                                             {sizes, Batched::others, 21, Reduction::sum}),
                  1);
    }
    if (takes_both_of_two() || !has_first()) {
        EXPECT_EQ(expect_reduced_row<float>(f(), GetParam().wrt,
                                            {sizes, Batched::all, 5, Reduction::mean}),
                  1);
    }
}

INSTANTIATE_TEST_SUITE_P(Row, Road, testing::ValuesIn(read_cookbook()), [](const auto& row) {
    std::string name = "Eq" + row.param.equation;
    for (char& c : name) {
        if (c == '-') {
            c = '_';
        }
    }
    return name;
});

class EveryFunction : public testing::TestWithParam<FunctionCase> {};

TEST_P(EveryFunction, AgreesWithTheOracleInDoubleAndFloat) {
    const Expr f = parse(GetParam().f, parse_declarations(GetParam().declarations));
    const Case batched{{{"m", 7}, {"n", 5}, {"p", 6}, {"q", 4}}, Batched::all, 19};
    const Case shared{{{"m", 7}, {"n", 5}, {"p", 6}, {"q", 4}}, Batched::variable, 3};
    std::vector<Case> in_double = {batched};
    std::vector<Case> in_float = {shared};
    if (takes_more_cases(GetParam().f)) {
        const Case large{{{"m", 90}, {"n", 70}, {"p", 80}, {"q", 75}}, Batched::variable, 2};
        in_double = {batched, shared, large};
        in_float = in_double;
    }
    for (const Case& c : in_double) {
        EXPECT_GT(expect_row<double>(f, GetParam().wrt, c, Accuracy::robust), 0);
    }
    std::int64_t compared = 0;
    std::int64_t problems = 0;
    for (const Case& c : in_float) {
        compared += expect_row<float>(f, GetParam().wrt, c, Accuracy::robust);
        problems += c.batch;
    }
    // A determinant may lie beyond the range of float in the large case.
    EXPECT_GT(compared, problems - (in_float.size() > 1 ? 4 : 1));
}

INSTANTIATE_TEST_SUITE_P(Case, EveryFunction, testing::ValuesIn(kFunctions));

TEST(RoadEdge, GradientAloneMayNeedNoOperandButItsSize) {
    PlanOptions options;
    options.value = false;
    options.wrt = {"X"};
    options.device = test_device().device;
    const Plan plan = make_plan(parse("tr(X)"), {batched("X", 3, 3)}, options);
    const std::vector<double> x(18, 7.0);
    std::vector<double> g(18, -1.0);
    plan.run({x}, {g});
    for (std::size_t i = 0; i < 18; ++i) {
        EXPECT_EQ(g[i], i % 9 % 4 == 0 ? 1.0 : 0.0) << i;
    }
}

/// Value and gradient of one problem.
struct Pair {
    double value = 0;
    std::vector<double> gradient;
};

Pair run_one(const char* f, std::int64_t rows, std::int64_t cols, const std::vector<double>& x) {
    PlanOptions options;
    options.wrt = {"X"};
    options.device = test_device().device;
    const Plan plan = make_plan(parse(f), {batched("X", rows, cols)}, options);
    std::vector<double> value(1);
    Pair result{0, std::vector<double>(x.size(), -1)};
    plan.run({x}, {value, result.gradient});
    result.value = value[0];
    return result;
}

TEST(RoadEdge, TheFirstOfEqualLargestEntriesHasTheGradient) {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    const std::vector<double> x{1, 3, 3, -kInf, -kInf, -kInf, kInf, 0, kInf, -1, -1, -2};
    const Pair rows = run_one("sum(rowmax(X(4,:)).^2) + sum(rowmax(X(1,:)))", 4, 3, x);
    EXPECT_EQ(rows.value, 4);
    EXPECT_EQ(rows.gradient, (std::vector<double>{0, 1, 0, 0, 0, 0, 0, 0, 0, -2, 0, 0}));
    const Pair infinite = run_one("dot(isrowmax(X), isrowmax(X))", 4, 3, x);
    EXPECT_EQ(infinite.value, 4);
    const Pair all = run_one("sum(rowmax(X))", 4, 3, x);
    EXPECT_EQ(all.gradient, (std::vector<double>{0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0}));
    const Pair cols = run_one("sum(colmax(X))", 3, 2, {1, 2, 1, 0, -1, 2});
    EXPECT_EQ(cols.value, 3);
    EXPECT_EQ(cols.gradient, (std::vector<double>{1, 1, 0, 0, 0, 0}));
    const double nan = std::nan("");
    EXPECT_TRUE(std::isnan(run_one("sum(rowmax(X))", 2, 2, {1, nan, 2, 3}).value));
    EXPECT_EQ(run_one("rowmax(X)(2)", 2, 2, {1, nan, 2, 3}).value, 3);
}

TEST(RoadEdge, LargestEntriesOfLongRows) {
    for (const std::int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 257}) {
        for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
            std::vector<double> x(static_cast<std::size_t>(3 * n), -5.0);
            std::vector<double> expected(x.size(), 0.0);
            x[static_cast<std::size_t>(n + at)] = x[static_cast<std::size_t>(2 * n - 1)] = 7;
            expected[0] = expected[static_cast<std::size_t>(n + at)] =
                expected[static_cast<std::size_t>(2 * n)] = 1;
            const Pair found = run_one("sum(rowmax(X))", 3, n, x);
            EXPECT_EQ(found.value, -3) << n << ", " << at;
            EXPECT_EQ(found.gradient, expected) << n << ", " << at;
        }
    }
}

TEST(RoadEdge, OfPartsNothingElseMatters) {
    const double nan = std::nan("");
    const Pair entry = run_one("X(2,1)^2 + X(2,3)*X(1,3)", 2, 3, {nan, nan, 2, 3, nan, 5});
    EXPECT_EQ(entry.value, 19);
    EXPECT_EQ(entry.gradient, (std::vector<double>{0, 0, 5, 6, 0, 2}));
    const Pair block =
        run_one("norm2(X(2:3,1:2))^2", 4, 3, {nan, 1, 1, 1, 2, nan, 3, 4, 1, 1, 1, nan});
    EXPECT_EQ(block.value, 30);
    EXPECT_EQ(block.gradient, (std::vector<double>{0, 0, 0, 2, 4, 0, 6, 8, 0, 0, 0, 0}));
    const Pair line = run_one("sum(X(:,2).^3)", 2, 3, {nan, 1, nan, nan, 2, nan});
    EXPECT_EQ(line.value, 9);
    EXPECT_EQ(line.gradient, (std::vector<double>{0, 3, 0, 0, 12, 0}));
}

TEST(RoadEdge, PartsOutsideOfTheOperandAreErrors) {
    try {
        (void)run_one("X(5,:)*X(1,:)'", 4, 3, std::vector<double>(12, 1.0));
        FAIL();
    } catch (const ShapeError& error) {
        EXPECT_STREQ(
            error.what(),
            "operand X is 4-by-3: found index 5, expected at most m = 4; indices count from 1");
    }
}

}  // namespace
}  // namespace matgrad
