// What a report says: the worst of what it was told, in words and as a verdict.

#include <gtest/gtest.h>

#include <limits>

#include "matgrad/check.hpp"

namespace matgrad {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

CheckReport report_of(std::vector<OutputCheck> outputs, std::int64_t problems) {
    CheckReport report;
    report.outputs = std::move(outputs);
    report.problems = problems;
    for (OutputCheck& output : report.outputs) {
        output.compared = true;
    }
    return report;
}

TEST(Comparison, IsWorseTheCloserItIsToItsBoundOrTheFurtherBeyond) {
    EXPECT_TRUE((Comparison{1, 4}.is_worse_than({1, 8})));
    EXPECT_FALSE((Comparison{1, 8}.is_worse_than({1, 4})));
    EXPECT_FALSE((Comparison{1, 8}.is_worse_than({1, 8})));
    EXPECT_TRUE((Comparison{1, 0}.is_worse_than({9, 1})));  // beyond any bound
    EXPECT_TRUE((Comparison{kNaN, 1}.is_worse_than({9, 0})));
    EXPECT_FALSE((Comparison{9, 0}.is_worse_than({kNaN, 1})));
    EXPECT_FALSE((Comparison{0, 0}.is_worse_than({0, 1})));
}

TEST(CheckReport, NamesTheWorstOutputAndItsProblem) {
    const CheckReport report =
        report_of({{"value", 2, {1e-15, 1e-12}}, {"gradient X", 5, {2e-14, 1e-13}}}, 7);
    EXPECT_TRUE(report.passed());
    EXPECT_EQ(report.text(),
              "7 problems, worst residual 2.0e-14 (gradient X of problem 5), bound 1.0e-13: ok");
}

TEST(CheckReport, OfEquallyBadOutputsNamesTheFirstProblem) {
    const CheckReport report = report_of({{"value", 3, {0, 1}}, {"gradient X", 0, {0, 1}}}, 4);
    EXPECT_EQ(report.text(),
              "4 problems, worst residual 0.0e+00 (gradient X of problem 0), bound 1.0e+00: ok");
}

TEST(CheckReport, FailsBeyondTheBoundAndAtNaN) {
    EXPECT_EQ(report_of({{"value", 0, {2, 1}}}, 1).text(),
              "1 problem, worst residual 2.0e+00 (value of problem 0), bound 1.0e+00: FAILED");
    EXPECT_FALSE(report_of({{"value", 0, {kNaN, 1}}}, 1).passed());
    EXPECT_FALSE(report_of({{"value", 0, {0, kNaN}}}, 1).passed());
}

TEST(CheckReport, OfNothingIsOk) {
    EXPECT_EQ(report_of({{"value"}}, 0).text(), "no problem to compare: ok");
    EXPECT_TRUE(CheckReport{}.passed());
}

TEST(CheckReport, OfTotalsKeepsTheWorsePiece) {
    constexpr std::int64_t kAll = OutputCheck::kNoProblem;
    CheckReport total;
    total.add(report_of({{"value", kAll, {5, 1}}}, 4), 0);
    total.add(report_of({{"value", kAll, {0, 1}}}, 4), 4);
    EXPECT_FALSE(total.passed());
    EXPECT_EQ(total.outputs[0].worst.residual, 5);
}

TEST(CheckReport, ABoundThatIsNoNumberIsTheWorst) {
    const double nan = std::nan("");
    const CheckReport report = report_of({{"value", 0, {0, 1}}, {"gradient X", 0, {0, nan}}}, 1);
    EXPECT_FALSE(report.passed());
    EXPECT_NE(report.text().find("gradient X"), std::string::npos) << report.text();
}

TEST(CheckReport, TakesInPiecesOfABatch) {
    CheckReport total;
    total.add(report_of({{"value", 1, {1, 4}}, {"gradient X", 0, {1, 8}}}, 2), 0);
    total.add(report_of({{"value"}, {"gradient X"}}, 0), 2);
    CheckReport last = report_of({{"value", 0, {1, 8}}, {"gradient X", 3, {1, 2}}}, 3);
    last.failed = 1;
    total.add(last, 10);
    EXPECT_EQ(total.problems, 5);
    EXPECT_EQ(total.failed, 1);
    ASSERT_EQ(total.outputs.size(), 2u);
    EXPECT_EQ(total.outputs[0].output, "value");
    EXPECT_EQ(total.outputs[0].problem, 1);
    EXPECT_EQ(total.outputs[0].worst.bound, 4);
    EXPECT_EQ(total.outputs[1].problem, 13);
    EXPECT_EQ(total.outputs[1].worst.bound, 2);
}

TEST(CheckReport, OfASumNamesNoProblem) {
    EXPECT_EQ(
        report_of({{"gradient X", OutputCheck::kNoProblem, {1e-15, 1e-12}}}, 9).text(),
        "9 problems, worst residual 1.0e-15 (gradient X over all of them), bound 1.0e-12: ok");
}

}  // namespace
}  // namespace matgrad
