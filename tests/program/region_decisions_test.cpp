// Which passes a Program becomes, and why: the four functions of the benchmark, and each rule on a Program made by hand.

#include <gmock/gmock.h>

#include <algorithm>

#include "planner/hand_program.hpp"
#include "program/cost.hpp"
#include "program/region_cases.hpp"
#include "program/regions.hpp"

namespace matgrad::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RegionDecisions, LeastSquaresReadsItsMatrixOnceInOnePass) {
    const Program program =
        program_of("norm2(A*x - b)^2", "A=m,n x=n b=m", "x", {{"m", 4096}, {"n", 64}});
    const Regions regions = find_regions(program, {20000});
    ASSERT_EQ(regions.passes.size(), 1U) << to_text(program, regions);
    const Pass& pass = regions.passes[0];
    EXPECT_EQ(pass.dimension.name, "m");
    EXPECT_EQ(read_as(program, pass, "A"), "rows");
    EXPECT_EQ(read_as(program, pass, "b"), "rows");
    EXPECT_EQ(read_as(program, pass, "x"), "whole");
    EXPECT_THAT(panel_steps(program, pass),
                ElementsAre("gemm local", "reduce contracts", "gemm contracts"));
    // A, x and b once; the value and the gradient. The residual never reaches memory.
    EXPECT_EQ(regions.bytes_read, 4 * (4096 * 64 + 64 + 4096));
    EXPECT_EQ(regions.bytes_written, 4 + 4 * 64);
    // x, the gradient and the value; of each row of a panel 64 of A, and b, whose place the residual takes.
    EXPECT_EQ(pass.whole_bytes, 4 * 64 + 4 * 64 + 4);
    EXPECT_EQ(pass.row_bytes, 4 * 64 + 4);
    EXPECT_EQ(pass.panel, 72);  // 74 rows fit
    EXPECT_EQ(pass.panels(), 57);
    EXPECT_TRUE(regions.fits);
}

TEST(RegionDecisions, LogDetGramReadsItsMatrixForTheFactorAndForTheSolves) {
    const Program program = program_of("logdet(X'*X)", "X=m,n", "X", {{"m", 600}, {"n", 64}});
    const Regions regions = find_regions(program, {100000});
    ASSERT_EQ(regions.passes.size(), 2U) << to_text(program, regions);
    EXPECT_THAT(panel_steps(program, regions.passes[0]), ElementsAre("syrk contracts"));
    EXPECT_THAT(whole_steps(program, regions.passes[0].after),
                ElementsAre("syrk", "potrf", "reduce"));
    EXPECT_THAT(panel_steps(program, regions.passes[1]), ElementsAre("trsm local", "trsm local"));
    for (const Pass& pass : regions.passes) {
        EXPECT_EQ(pass.dimension.name, "m");
        EXPECT_EQ(read_as(program, pass, "X"), "rows");
    }
    EXPECT_EQ(regions.bytes_read, 2 * 4 * 600 * 64);
    EXPECT_EQ(regions.least_read, 4 * 600 * 64);
    EXPECT_EQ(regions.bytes_written, regions.least_written);
}

TEST(RegionDecisions, LogDetGramReadsItsMatrixOnceWhereItFits) {
    const Program program = program_of("logdet(X'*X)", "X=m,n", "X", {{"m", 600}, {"n", 64}});
    const ValueId x = operand(program, "X");
    const Regions regions = find_regions(program, {260000});  // X has 153,600, the factor 32,768
    ASSERT_EQ(regions.passes.size(), 2U) << to_text(program, regions);
    EXPECT_THAT(regions.kept, ElementsAre(x));
    EXPECT_EQ(read_as(program, regions.passes[0], "X"), "whole");
    EXPECT_THAT(regions.passes[1].reads, IsEmpty());
    EXPECT_EQ(regions.bytes_read, regions.least_read);

    const Program small = program_of("logdet(X'*X)", "X=m,n", "X", {{"m", 64}, {"n", 16}});
    const Regions whole = find_regions(small, {20000});
    ASSERT_EQ(whole.passes.size(), 1U);
    EXPECT_EQ(whole.passes[0].dimension.size, 0);
    EXPECT_EQ(whole.passes[0].before.size(), small.steps.size());
    EXPECT_EQ(whole.bytes_read, 4 * 64 * 16);
    // X, G or L in its place, then the two solves of X in double and the gradient: L, t2, t3 at the end.
    EXPECT_EQ(whole.bytes, 8 * 16 * 16 + 8 * 64 * 16 + 4 * 64 * 16);
}

TEST(RegionDecisions, FrobeniusIsOnePassWhereItsFactorIsShort) {
    const Program program =
        program_of("0.5*norm2(X*A')^2", "X=m,n A=p,n", "X", {{"m", 600}, {"n", 32}, {"p", 24}});
    const Regions regions = find_regions(program, {65536});
    ASSERT_EQ(regions.passes.size(), 1U) << to_text(program, regions);
    EXPECT_EQ(regions.passes[0].dimension.name, "m");
    EXPECT_EQ(read_as(program, regions.passes[0], "X"), "rows");
    EXPECT_EQ(read_as(program, regions.passes[0], "A"), "whole");
    EXPECT_EQ(regions.bytes_read, regions.least_read);
    EXPECT_EQ(regions.bytes_written, 4 + 4 * 600 * 32);
}

TEST(RegionDecisions, FrobeniusIsAPassOverEachMatrixWhereBothAreLong) {
    const Program program = program_of("0.5*norm2(X*A')^2", "X=m,n A=p,n", "X",
                                       {{"m", 600}, {"n", 32}, {"p", 2400}}, false);
    const Regions regions = find_regions(program, {65536});
    ASSERT_EQ(regions.passes.size(), 2U) << to_text(program, regions);
    EXPECT_EQ(regions.passes[0].dimension.name, "p");
    EXPECT_THAT(panel_steps(program, regions.passes[0]), ElementsAre("syrk contracts"));
    EXPECT_EQ(read_as(program, regions.passes[0], "A"), "rows");
    EXPECT_EQ(regions.passes[1].dimension.name, "m");
    EXPECT_THAT(panel_steps(program, regions.passes[1]), ElementsAre("gemm local"));
    EXPECT_EQ(read_as(program, regions.passes[1], "X"), "rows");
    EXPECT_EQ(regions.bytes_read, regions.least_read);
    EXPECT_TRUE(regions.fits);
}

TEST(RegionDecisions, BilinearTraceIsOnePass) {
    const Program program =
        program_of("tr(A*X*B)", "A=p,m X=m,n B=n,p", "X", {{"m", 600}, {"n", 32}, {"p", 24}});
    const Regions regions = find_regions(program, {65536});
    ASSERT_EQ(regions.passes.size(), 1U) << to_text(program, regions);
    const Pass& pass = regions.passes[0];
    EXPECT_EQ(read_as(program, pass, "A"), "cols");
    EXPECT_EQ(read_as(program, pass, "X"), "rows");
    EXPECT_EQ(read_as(program, pass, "B"), "whole");
    EXPECT_THAT(panel_steps(program, pass), ElementsAre("gemm local", "reduce contracts"));
    ASSERT_EQ(pass.writes.size(), 2U);
    EXPECT_EQ(pass.writes[0].cut, Cut::cols);  // B*A, the gradient transposed
    EXPECT_EQ(regions.bytes_read + regions.bytes_written,
              regions.least_read + regions.least_written);
}

/// Y = exp(X); out = Y * sum(Y) + X
Program exp_by_its_sum() {
    HandProgram hand;
    const ValueId x = hand.operand("X", 100, 3);
    const ValueId y = hand.step(Map{unary_body(MapOp::exp, {x})}, 100, 3);
    Reduce sum;
    sum.rows = {"100", 100};
    sum.cols = {"3", 3};
    sum.body = unary_body(MapOp::scale, {y}, 1);
    const ValueId total = hand.step(sum, 1, 1);
    Map times{binary_body(MapOp::mul, {y}, {total})};
    times.body.operands[1].broadcast = Broadcast::scalar;
    times.body.operands.push_back({{x}, Broadcast::none});
    times.body.code.push_back({MapOp::load, 2, -1, 0});
    times.body.code.push_back({MapOp::add, 2, 3, 0});
    hand.output(hand.step(times, 100, 3));
    count_costs(hand.program);
    return hand.program;
}

TEST(RegionDecisions, MakesAPanelAgainStoresItOrKeepsItWhicheverIsCheapest) {
    const Program program = exp_by_its_sum();
    constexpr std::int64_t kLittle = 8 * 3 * 4 * 4;  // four rows of a few values
    // X is read twice in any case. Again: 300 operations. Stored: Y is written and read.
    const Regions again = find_regions(program, {kLittle, 1.0});
    EXPECT_THAT(panel_steps(program, again.passes.at(1)),
                ElementsAre("map local again", "map local"));
    EXPECT_EQ(again.bytes_read, 2 * 8 * 300);
    EXPECT_EQ(again.bytes_written, 8 * 300);
    // An operation that takes longer than the 16 bytes.
    const Regions stored = find_regions(program, {kLittle, 0.05});
    EXPECT_THAT(panel_steps(program, stored.passes.at(1)), ElementsAre("map local"));
    EXPECT_EQ(stored.bytes_read, 3 * 8 * 300);
    EXPECT_EQ(stored.bytes_written, 2 * 8 * 300);
    // Room for X or Y, but not for both: X saves bytes.
    const Regions kept = find_regions(program, {8 * 300 + kLittle, 1.0});
    EXPECT_THAT(kept.kept, ElementsAre(operand(program, "X"))) << to_text(program, kept);
    EXPECT_EQ(kept.bytes_read, 8 * 300);
    EXPECT_EQ(kept.bytes_written, 8 * 300);
}

TEST(RegionDecisions, AResultWaitsForThePassThatReadsItsInputsAnyway) {
    HandProgram hand;
    const ValueId x = hand.operand("X", 100, 3);
    const ValueId b = hand.operand("B", 100, 3);
    const ValueId early = hand.step(Map{binary_body(MapOp::add, {x}, {b})}, 100, 3);
    Reduce sum;
    sum.rows = {"100", 100};
    sum.cols = {"3", 3};
    sum.body = unary_body(MapOp::exp, {x});
    const ValueId total = hand.step(sum, 1, 1);
    Map late{binary_body(MapOp::mul, {b}, {total})};
    late.body.operands[1].broadcast = Broadcast::scalar;
    hand.output(early);
    hand.output(hand.step(late, 100, 3));
    count_costs(hand.program);
    const Regions regions = find_regions(hand.program, {8 * 3 * 4 * 4});
    // X for its sum; then X and B. Otherwise X and B, then B: as much. So add a reader of X to the second pass:
    EXPECT_EQ(regions.bytes_read, 3 * 8 * 300) << to_text(hand.program, regions);

    Map later{binary_body(MapOp::mul, {x}, {total})};
    later.body.operands[1].broadcast = Broadcast::scalar;
    hand.output(hand.step(later, 100, 3));
    count_costs(hand.program);
    const Regions waits = find_regions(hand.program, {8 * 3 * 4 * 4});
    EXPECT_EQ(waits.bytes_read, 3 * 8 * 300) << to_text(hand.program, waits);
    EXPECT_THAT(panel_steps(hand.program, waits.passes.at(0)), ElementsAre("reduce contracts"));
    EXPECT_THAT(panel_steps(hand.program, waits.passes.at(1)),
                ElementsAre("map local", "map local", "map local"));
}

TEST(RegionDecisions, PanelsOfFewColumnsCostWholeSectors) {
    // Columns of A, in two passes, would do as well as its rows in three; but a row of a panel has 16 bytes.
    const Program program =
        program_of("logsumexp(A*x + b)", "A=m,n x=n b=m", "x", {{"m", 512}, {"n", 12}});
    const Regions regions = find_regions(program, {16384});
    ASSERT_TRUE(regions.fits) << to_text(program, regions);
    for (const Pass& pass : regions.passes) {
        EXPECT_NE(read_as(program, pass, "A"), "cols") << to_text(program, regions);
    }
}

TEST(RegionDecisions, CutsASquareMatrixAlongOneSideAlone) {
    const Program program = program_of("x'*A*x", "A=n,n:sym x=n", "x", {{"n", 256}});
    const Regions regions = find_regions(program, {40000});
    ASSERT_TRUE(regions.fits) << to_text(program, regions);
    for (const Pass& pass : regions.passes) {
        EXPECT_NE(read_as(program, pass, "A"), "whole");
        EXPECT_EQ(read_as(program, pass, "x"), "whole");
    }
}

TEST(RegionDecisions, ReadsRowsAndColumnsOfAMatrixThatIsTooLargeToBeWhole) {
    const Program program = program_of("x'*A*x", "A=n,n x=n", "x", {{"n", 256}});  // (A + A')*x
    const Regions regions = find_regions(program, {40000});
    ASSERT_EQ(regions.passes.size(), 1U) << to_text(program, regions);
    const Pass& pass = regions.passes[0];
    const ValueId a = operand(program, "A");
    EXPECT_TRUE(is_panel(regions, pass, program, a, Cut::rows));
    EXPECT_TRUE(is_panel(regions, pass, program, a, Cut::cols));
    EXPECT_FALSE(is_panel(regions, pass, program, operand(program, "x"), Cut::rows));
    EXPECT_EQ(regions.bytes_read, 2 * 4 * 256 * 256 + 4 * 256);
    EXPECT_TRUE(regions.fits);
}

TEST(RegionDecisions, CutsNoMatrixThatIsFactored) {
    HandProgram hand;
    const ValueId p = hand.operand("P", 40, 40);
    const ValueId l = hand.step(Potrf{{p}}, 40, 40);
    hand.output(l);
    const Regions regions = find_regions(hand.program, {1000});
    ASSERT_EQ(regions.passes.size(), 1U);
    EXPECT_EQ(regions.passes[0].dimension.size, 0);
    EXPECT_FALSE(regions.fits);
    EXPECT_EQ(regions.bytes, 8 * 40 * 40);  // in place
    EXPECT_TRUE(find_regions(hand.program, {regions.bytes}).fits);
}

TEST(RegionDecisions, ARowOfAPanelledResultIsNotToBeHad) {
    HandProgram hand;
    const ValueId x = hand.operand("X", 40, 3);
    const ValueId y = hand.step(Map{unary_body(MapOp::exp, {x})}, 40, 3);
    hand.output(hand.step(Map{unary_body(MapOp::exp, {y, false, 7, -1})}, 1, 3));
    EXPECT_FALSE(find_regions(hand.program, {500}).fits);

    HandProgram column;
    const ValueId z = column.operand("X", 40, 3);
    const ValueId e = column.step(Map{unary_body(MapOp::exp, {z})}, 40, 3);
    column.output(column.step(Map{unary_body(MapOp::exp, {e, false, -1, 1})}, 40, 1));
    EXPECT_TRUE(find_regions(column.program, {500}).fits);
}

TEST(RegionDecisions, StepsThatReadPlacesNeedTheOffsetOfThePanel) {
    HandProgram hand;
    const ValueId x = hand.operand("X", 40, 20);
    MapBody body = binary_body(MapOp::mul, {x}, {x});
    body.code[1] = {MapOp::is_lower, -1, -1, 0};
    hand.output(hand.step(Map{body}, 40, 20));
    hand.output(hand.step(Map{unary_body(MapOp::exp, {x})}, 40, 20));
    const Regions regions = find_regions(hand.program, {2000});
    ASSERT_EQ(regions.passes.size(), 1U);
    ASSERT_EQ(regions.passes[0].steps.size(), 2U);
    EXPECT_TRUE(regions.passes[0].steps[0].needs_offset);
    EXPECT_FALSE(regions.passes[0].steps[1].needs_offset);
}

TEST(RegionDecisions, EachReductionHasItsJoin) {
    HandProgram hand;
    const ValueId x = hand.operand("X", 40, 3);
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::product, ReduceOp::norm}) {
        Reduce reduce;
        reduce.op = op;
        reduce.rows = {"40", 40};
        reduce.cols = {"3", 3};
        reduce.body = unary_body(MapOp::scale, {x}, 1);
        hand.output(hand.step(reduce, 1, 1));
    }
    const Regions regions = find_regions(hand.program, {500});
    ASSERT_EQ(regions.passes.size(), 1U);
    std::vector<std::pair<Join, double>> joins;
    for (const Contraction& c : regions.passes[0].contractions) {
        joins.emplace_back(c.join, c.initial);
    }
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_THAT(joins, ElementsAre(std::pair(Join::sum, 0.0), std::pair(Join::max, -infinity),
                                   std::pair(Join::product, 1.0), std::pair(Join::norm, 0.0)));
}

TEST(RegionDecisions, SumsOverTheBatchAreOutsideAndSharedOperandsCountAsShared) {
    const Program program = program_of("sum(softplus(-y.*(A*x)))", "y=m A=m,n x=n", "x",
                                       {{"m", 400}, {"n", 12}}, true, true);
    const Regions regions = find_regions(program, {8000});
    ASSERT_EQ(regions.passes.size(), 1U) << to_text(program, regions);
    EXPECT_EQ(regions.shared_bytes_read, 4 * 12);
    EXPECT_EQ(regions.bytes_read, 4 * (400 + 400 * 12));
    const auto inner = std::find_if(program.steps.begin(), program.steps.end(),
                                    [](const Step& s) { return s.fold == Fold::inner; });
    ASSERT_NE(inner, program.steps.end());
    const ValueId factor = std::get<Gemm>(inner->operation).b.value;
    const std::vector<Transfer>& writes = regions.passes[0].writes;
    EXPECT_TRUE(std::any_of(writes.begin(), writes.end(),
                            [&](const Transfer& write) { return write.value == factor; }));
    for (const PanelStep& step : regions.passes[0].steps) {
        EXPECT_NE(&program.steps[static_cast<std::size_t>(step.step)], &*inner);
    }
}

TEST(RegionDecisions, ARootThatIsNowhereIsMadeAgain) {
    const Program program =
        program_of("logdet(exp(X)'*exp(X))", "X=m,n", "X", {{"m", 600}, {"n", 16}});
    const Regions regions = find_regions(program, {12000});
    ASSERT_EQ(regions.passes.size(), 2U) << to_text(program, regions);
    ASSERT_EQ(regions.passes[0].roots.size(), 1U);
    EXPECT_THAT(whole_steps(program, {regions.passes[0].roots[0].step}), ElementsAre("potrf"));
    EXPECT_THAT(whole_steps(program, regions.passes[0].roots[0].steps), ElementsAre("map"));
}

TEST(RegionDecisions, ReadWellAsText) {
    const Program program =
        program_of("norm2(A*x - b)^2", "A=m,n x=n b=m", "x", {{"m", 100}, {"n", 5}});
    EXPECT_EQ(to_text(program, find_regions(program, {700})),
              "pass 1 over m = 100: 5 panels of 20\n"
              "  read   A   panels of rows\n"
              "  read   x   whole\n"
              "  read   b   panels of rows\n"
              "  panel  t1 = gemm(A, x) - b   local\n"
              "  panel  t2 = sum t1 .* t1   sum\n"
              "  panel  t3 = 2*gemm(A', t1)   sum\n"
              "  after  t2 is there\n"
              "  after  t3 is there\n"
              "  write  t2   whole\n"
              "  write  t3   whole\n"
              "reads 2420 B of 2420, shared 0 B, writes 24 B of 24, 524 B on chip\n");
    EXPECT_EQ(find_regions(program, {std::int64_t{1} << 40}).passes.size(), 1U);
}

}  // namespace
}  // namespace matgrad::testing
