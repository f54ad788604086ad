// assign_memory: buffers by lifetime, shared only where program.hpp allows it.

#include <gtest/gtest.h>

#include "planner/hand_program.hpp"
#include "planner/passes.hpp"

namespace matgrad::testing {
namespace {

const Value& value_of(const Program& p, ValueId id) {
    return p.values[static_cast<std::size_t>(id)];
}

TEST(Memory, AMapMayWriteWhereItsOnlyReaderEnds) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4);
    const ValueId g = h.step(gemm(a, a), 4, 4);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {g})}, 4, 4);
    h.output(e);
    assign_memory(h.program);
    EXPECT_EQ(value_of(h.program, e).offset, value_of(h.program, g).offset);
    EXPECT_EQ(h.program.problem_bytes, 4 * 4 * 8);
    EXPECT_EQ(value_of(h.program, a).offset, -1);
}

TEST(Memory, ATransposedReadNeedsABufferOfItsOwn) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4);
    const ValueId g = h.step(gemm(a, a), 4, 4);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {g, true})}, 4, 4);
    h.output(e);
    assign_memory(h.program);
    EXPECT_NE(value_of(h.program, e).offset, value_of(h.program, g).offset);
    EXPECT_EQ(h.program.problem_bytes, 2 * 4 * 4 * 8);
}

TEST(Memory, AGemmNeverWritesOverItsFactors) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4);
    const ValueId g = h.step(gemm(a, a), 4, 4);
    const ValueId k = h.step(gemm(g, a), 4, 4);
    const ValueId l = h.step(gemm(k, a), 4, 4);
    h.output(l);
    assign_memory(h.program);
    EXPECT_NE(value_of(h.program, k).offset, value_of(h.program, g).offset);
    EXPECT_EQ(value_of(h.program, l).offset, value_of(h.program, g).offset) << "dead by then";
    EXPECT_EQ(h.program.problem_bytes, 2 * 4 * 4 * 8);
}

TEST(Memory, AnOutputIsKeptToTheEnd) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4);
    const ValueId g = h.step(gemm(a, a), 4, 4);
    const ValueId e = h.step(Map{unary_body(MapOp::exp, {g})}, 4, 4);
    h.output(g);
    h.output(e);
    assign_memory(h.program);
    EXPECT_NE(value_of(h.program, e).offset, value_of(h.program, g).offset);
}

TEST(Memory, SharedValuesThatProblemsReadAreNeverReused) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4, false);
    const ValueId x = h.operand("X", 4, 4);
    const ValueId s = h.step(gemm(a, a), 4, 4, Scope::shared);
    const ValueId t = h.step(Map{unary_body(MapOp::exp, {s})}, 4, 4, Scope::shared);
    const ValueId u = h.step(gemm(x, s), 4, 4);
    const ValueId v = h.step(gemm(u, t), 4, 4);
    h.output(v);
    assign_memory(h.program);
    EXPECT_NE(value_of(h.program, s).offset, value_of(h.program, t).offset);
    EXPECT_EQ(h.program.shared_bytes, 2 * 4 * 4 * 8);
}

TEST(Memory, SumsOverTheBatchKeepTheirPlaceFromTheStart) {
    HandProgram h;
    const ValueId a = h.operand("A", 4, 4, false);
    const ValueId s = h.step(gemm(a, a), 4, 4, Scope::shared);
    const ValueId t = h.step(gemm(s, s), 4, 4, Scope::shared);
    const ValueId r = h.step(BatchReduce{{t}}, 4, 4, Scope::reduced);
    h.output(r);
    assign_memory(h.program);
    EXPECT_EQ(value_of(h.program, r).offset, 0);
    EXPECT_NE(value_of(h.program, s).offset, 0);
    EXPECT_NE(value_of(h.program, t).offset, 0);
}

TEST(Memory, OfEmptyValuesIsNone) {
    HandProgram h;
    const ValueId a = h.operand("A", 0, 4);
    h.output(h.step(Map{unary_body(MapOp::exp, {a})}, 0, 4));
    assign_memory(h.program);
    EXPECT_EQ(h.program.problem_bytes, 0);
}

}  // namespace
}  // namespace matgrad::testing
