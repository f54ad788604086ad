// absorb_scalars: numbers and sums into alpha and beta.

#include <gtest/gtest.h>

#include "planner/hand_program.hpp"
#include "planner/passes.hpp"

namespace matgrad::testing {
namespace {

TEST(AbsorbScalars, AFactorBecomesAlpha) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId b = h.operand("B", 3, 4);
    const ValueId g = h.step(gemm(a, b), 2, 4);
    h.output(h.step(Map{unary_body(MapOp::scale, {g}, -3)}, 2, 4));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_EQ(std::get<Gemm>(h.program.steps[0].operation).alpha, -3);
    EXPECT_EQ(h.program.outputs[0].value, h.program.steps[0].out);
}

TEST(AbsorbScalars, AFactorOfATriangularSolveBecomesAlpha) {
    HandProgram h;
    const ValueId l = h.operand("L", 3, 3);
    const ValueId b = h.operand("B", 4, 3);
    const ValueId x = h.step(Trsm{Side::right, true, false, {l}, {b}}, 4, 3);
    h.output(h.step(Map{unary_body(MapOp::scale, {x}, 2)}, 4, 3));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_EQ(std::get<Trsm>(h.program.steps[0].operation).alpha, 2);
}

TEST(AbsorbScalars, ATriangularSolveTimesZeroStaysAProduct) {
    // A BLAS writes 0 for alpha = 0, but 0 * NaN is NaN.
    HandProgram h;
    const ValueId l = h.operand("L", 3, 3);
    const ValueId b = h.operand("B", 4, 3);
    const ValueId x = h.step(Trsm{Side::right, true, false, {l}, {b}}, 4, 3);
    h.output(h.step(Map{unary_body(MapOp::scale, {x}, 0)}, 4, 3));
    absorb_scalars(h.program);
    EXPECT_EQ(h.program.steps.size(), 2U);
}

TEST(AbsorbScalars, AFactorOfATransposedProductFlipsTheOutput) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId b = h.operand("B", 3, 4);
    const ValueId g = h.step(gemm(a, b), 2, 4);
    h.output(h.step(Map{unary_body(MapOp::scale, {g, true}, 2)}, 4, 2));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_TRUE(h.program.outputs[0].transposed);
}

TEST(AbsorbScalars, AProductUsedTwiceKeepsItsScale) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2);
    const ValueId g = h.step(gemm(a, a), 2, 2);
    h.output(h.step(Map{unary_body(MapOp::scale, {g}, 2)}, 2, 2));
    h.output(g);
    absorb_scalars(h.program);
    EXPECT_EQ(h.program.steps.size(), 2U);
}

TEST(AbsorbScalars, ASubtractedMatrixBecomesC) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId b = h.operand("B", 3, 4);
    const ValueId c = h.operand("C", 2, 4);
    const ValueId g = h.step(gemm(a, b), 2, 4);
    h.output(h.step(Map{binary_body(MapOp::sub, {g}, {c})}, 2, 4));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    const Gemm merged = std::get<Gemm>(h.program.steps[0].operation);
    EXPECT_EQ(merged.alpha, 1);
    EXPECT_EQ(merged.beta, -1);
    EXPECT_EQ(merged.c.value, c);
}

TEST(AbsorbScalars, ATransposedAddendTurnsTheProductRound) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId b = h.operand("B", 3, 4);
    const ValueId c = h.operand("C", 4, 2);
    const ValueId g = h.step(gemm(a, b), 2, 4);
    h.output(h.step(Map{binary_body(MapOp::add, {g}, {c, true})}, 2, 4));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    const Gemm merged = std::get<Gemm>(h.program.steps[0].operation);
    EXPECT_EQ(merged.a.value, b);
    EXPECT_TRUE(merged.a.transposed && merged.b.transposed);
    EXPECT_FALSE(merged.c.transposed);
    EXPECT_TRUE(h.program.outputs[0].transposed);
}

TEST(AbsorbScalars, ASharedProductIsNotMovedIntoTheProblems) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2, false);
    const ValueId c = h.operand("C", 2, 2);
    const ValueId g = h.step(gemm(a, a), 2, 2, Scope::shared);
    h.output(h.step(Map{binary_body(MapOp::add, {g}, {c})}, 2, 2));
    absorb_scalars(h.program);
    ASSERT_EQ(h.program.steps.size(), 2U);
    EXPECT_EQ(h.program.steps[0].scope, Scope::shared);
}

}  // namespace
}  // namespace matgrad::testing
