// fuse_entrywise: one map for a chain of them, and where it stops.

#include <gtest/gtest.h>

#include "planner/hand_program.hpp"
#include "planner/passes.hpp"

namespace matgrad::testing {
namespace {

TEST(Fusion, AChainOfMapsIsOne) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {a})}, 2, 3);
    h.output(h.step(Map{unary_body(MapOp::sin, {e})}, 2, 3));
    fuse_entrywise(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_EQ(std::get<Map>(h.program.steps[0].operation).body.code.size(), 3U);
}

TEST(Fusion, AReductionTakesTheMapItReads) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {a})}, 2, 3);
    Reduce sum;
    sum.rows = {"2", 2};
    sum.cols = {"3", 3};
    sum.body = unary_body(MapOp::abs, {e});
    h.output(h.step(sum, 1, 1));
    fuse_entrywise(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_EQ(std::get<Reduce>(h.program.steps[0].operation).body.operands[0].use.value, a);
}

TEST(Fusion, ATransposedReadTransposesWhatTheProducerRead) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    MapBody kept = unary_body(MapOp::exp, {a});
    kept.operands.push_back({{h.operand("v", 2, 1)}, Broadcast::column});
    kept.code.push_back({MapOp::load, 1, -1, 0});
    kept.code.push_back({MapOp::is_lower, -1, -1, 0});
    kept.code.push_back({MapOp::mul, 1, 2, 0});
    kept.code.push_back({MapOp::mask, 4, 3, 0});
    const ValueId e = h.step(Map{kept}, 2, 3);
    h.output(h.step(Map{unary_body(MapOp::sin, {e, true})}, 3, 2));
    fuse_entrywise(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    const MapBody& body = std::get<Map>(h.program.steps[0].operation).body;
    EXPECT_TRUE(body.operands[0].use.transposed);
    EXPECT_EQ(body.operands[1].broadcast, Broadcast::row);
    bool upper = false;
    for (const MapInstruction& c : body.code) {
        upper = upper || c.op == MapOp::is_upper;
        EXPECT_NE(c.op, MapOp::is_lower);
    }
    EXPECT_TRUE(upper);
}

TEST(Fusion, WhatIsUsedTwiceStaysAValue) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {a})}, 2, 2);
    h.output(h.step(Map{unary_body(MapOp::sin, {e})}, 2, 2));
    h.output(h.step(Map{unary_body(MapOp::cos, {e})}, 2, 2));
    fuse_entrywise(h.program);
    EXPECT_EQ(h.program.steps.size(), 3U);
}

TEST(Fusion, SharedWorkIsNotRepeatedForEachProblem) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2, false);
    const ValueId b = h.operand("B", 2, 2);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {a})}, 2, 2, Scope::shared);
    h.output(h.step(Map{binary_body(MapOp::mul, {e}, {b})}, 2, 2));
    fuse_entrywise(h.program);
    EXPECT_EQ(h.program.steps.size(), 2U);
}

TEST(Fusion, ConstantsAreInlinedUnderAnyBroadcast) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 3);
    MapBody one;
    one.code = {{MapOp::constant, -1, -1, 1}};
    const ValueId ones = h.step(Map{one}, 2, 1, Scope::shared);
    MapBody body = binary_body(MapOp::add, {a}, {ones});
    body.operands[1].broadcast = Broadcast::column;
    h.output(h.step(Map{body}, 2, 3));
    fuse_entrywise(h.program);
    ASSERT_EQ(h.program.steps.size(), 1U);
    EXPECT_EQ(std::get<Map>(h.program.steps[0].operation).body.operands.size(), 1U);
}

}  // namespace
}  // namespace matgrad::testing
