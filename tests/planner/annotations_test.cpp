// hoist_shared, fold_batch, choose_types, trim_symmetric: what steps are marked with.

#include <gtest/gtest.h>

#include "planner/hand_program.hpp"
#include "planner/passes.hpp"

namespace matgrad::testing {
namespace {

TEST(Hoisting, SharedStepsComeFirstAndSumsOverTheBatchLast) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2, false);
    const ValueId x = h.operand("X", 2, 2);
    const ValueId u = h.step(gemm(x, x), 2, 2);
    const ValueId r = h.step(BatchReduce{{u}}, 2, 2, Scope::reduced);
    const ValueId s = h.step(gemm(a, a), 2, 2);
    const ValueId v = h.step(gemm(u, s), 2, 2);
    h.output(r);
    h.output(v);
    hoist_shared(h.program);
    std::vector<ValueId> order;
    for (const Step& step : h.program.steps) {
        order.push_back(step.out);
    }
    EXPECT_EQ(order, (std::vector<ValueId>{s, u, v, r}));
    EXPECT_EQ(h.program.steps[0].scope, Scope::shared);
    EXPECT_EQ(h.program.steps[3].scope, Scope::reduced);
}

TEST(Folding, TellsWhichFactorTheBatchShares) {
    HandProgram h;
    const ValueId a = h.operand("A", 2, 2, false);
    const ValueId x = h.operand("X", 2, 2);
    h.output(h.step(gemm(x, a), 2, 2));
    h.output(h.step(gemm(a, x), 2, 2));
    h.output(h.step(gemm(x, x), 2, 2));
    h.output(h.step(gemm(a, a), 2, 2, Scope::shared));
    fold_batch(h.program);
    const std::string expected[] = {"the second factor is shared by the batch",
                                    "the first factor is shared by the batch", "", ""};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(h.program.steps[i].why, expected[i]) << i;
        EXPECT_EQ(h.program.steps[i].fold, Fold::none) << i;
    }
}

TEST(Folding, IsOfGemmWithoutASumAndOfSyrkReadWhole) {
    HandProgram h;
    const ValueId x = h.operand("X", 2, 2);
    const ValueId g = h.step(Syrk{{x}, 1, true}, 2, 2);
    const ValueId added = h.step(Gemm{{x}, {x}, 1, 1, {x}}, 2, 2);
    const ValueId sliced = h.step(gemm(x, x), 2, 2);
    const ValueId once = h.step(Copy{{x}}, 2, 2);
    h.output(h.step(BatchReduce{{g}}, 2, 2, Scope::reduced));
    h.output(h.step(BatchReduce{{added}}, 2, 2, Scope::reduced));
    h.output(h.step(BatchReduce{{sliced, false, 1, -1}}, 1, 2, Scope::reduced));
    h.output(h.step(BatchReduce{{once}}, 2, 2, Scope::reduced));
    fold_batch(h.program);
    const Fold expected[] = {Fold::inner, Fold::none, Fold::none, Fold::none};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(h.program.steps[i].fold, expected[i]) << i;
    }
}

TEST(Folding, OfASumOverTheBatchNeedsTheProductNowhereElse) {
    for (const bool used_twice : {false, true}) {
        HandProgram h;
        const ValueId x = h.operand("X", 2, 2);
        const ValueId g = h.step(gemm(x, x), 2, 2);
        h.output(h.step(BatchReduce{{g}}, 2, 2, Scope::reduced));
        if (used_twice) {
            h.output(h.step(Map{unary_body(MapOp::exp, {g})}, 2, 2));
        }
        fold_batch(h.program);
        EXPECT_EQ(h.program.steps[0].fold, used_twice ? Fold::none : Fold::inner);
    }
}

TEST(Types, EverythingThatLeadsToAFactorIsDoubleInRobust) {
    HandProgram h;
    h.program.type = ScalarType::float32;
    const ValueId x = h.operand("X", 4, 2);
    const ValueId y = h.step(Map{unary_body(MapOp::exp, {x})}, 4, 2);
    const ValueId g = h.step(Syrk{{y, true}, 1, true}, 2, 2);
    const ValueId l = h.step(Potrf{{g}}, 2, 2);
    const ValueId half = h.step(Trsm{Side::right, true, true, {l}, {x}}, 4, 2);
    const ValueId whole = h.step(Trsm{Side::right, true, false, {l}, {half}}, 4, 2);
    const ValueId other = h.step(Map{unary_body(MapOp::sin, {x})}, 4, 2);
    h.output(whole);
    h.output(other);
    Program fast = h.program;
    choose_types(h.program);
    const auto type = [&](ValueId id) { return h.program.value(id).type; };
    EXPECT_EQ(type(x), ScalarType::float32);
    for (const ValueId id : {y, g, l, half}) {
        EXPECT_EQ(type(id), ScalarType::float64) << id;
    }
    EXPECT_EQ(type(whole), ScalarType::float32) << "rounded once, on leaving";
    EXPECT_EQ(type(other), ScalarType::float32);
    EXPECT_EQ(h.program.steps[4].type, ScalarType::float64) << "computes with a double factor";
    EXPECT_EQ(h.program.steps[5].type, ScalarType::float32);

    fast.accuracy = Accuracy::fast;
    choose_types(fast);
    for (const Step& s : fast.steps) {
        EXPECT_EQ(s.type, ScalarType::float32);
    }
}

TEST(Symmetry, OnlyACholeskyMayReadOneTriangle) {
    for (const bool also_output : {false, true}) {
        HandProgram h;
        const ValueId x = h.operand("X", 4, 2);
        const ValueId g = h.step(Syrk{{x, true}, 1, true}, 2, 2);
        h.output(h.step(Potrf{{g}}, 2, 2));
        if (also_output) {
            h.output(g);
        }
        trim_symmetric(h.program);
        EXPECT_EQ(std::get<Syrk>(h.program.steps[0].operation).mirror, also_output);
        EXPECT_EQ(h.program.value(g).structure,
                  also_output ? Structure::symmetric : Structure::lower);
    }
}

}  // namespace
}  // namespace matgrad::testing
