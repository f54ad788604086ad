// The whole road: text, gradient, Program, executor, against the oracle. Every row of the table,
// operands shared and batched, float and double, in sizes small and large.

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace matgrad
