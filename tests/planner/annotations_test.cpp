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

/// z = dot(x, w) with a shared w, m = t*sigmoid(z), and the sums over the batch of softplus(z) + 3*dot(y, w)
/// and of m*x.
struct Loss {
    HandProgram h;
    ValueId z, product, m, value, linear, gradient;

    Loss() {
        h.program.type = ScalarType::float32;
        const ValueId x = h.operand("x", 4, 1);
        const ValueId y = h.operand("y", 4, 1);
        const ValueId t = h.operand("t", 1, 1);
        const ValueId w = h.operand("w", 4, 1, false);
        const auto dot = [&](ValueId a) {
            return h.step(Reduce{ReduceOp::sum,
                                 ReduceOver::all,
                                 {"", 4},
                                 {"", 1},
                                 binary_body(MapOp::mul, {a}, {w}),
                                 1,
                                 {}},
                          1, 1);
        };
        z = dot(x);
        linear = dot(y);
        product = h.step(Map{binary_body(MapOp::mul, {t}, {z})}, 1, 1);
        m = h.step(Map{unary_body(MapOp::sigmoid, {product})}, 1, 1);
        MapBody body = binary_body(MapOp::add, {z}, {linear});
        body.code = {{MapOp::load, 0, -1, 0},
                     {MapOp::softplus, 0, -1, 0},
                     {MapOp::load, 1, -1, 0},
                     {MapOp::scale, 2, -1, 3},
                     {MapOp::add, 1, 3, 0}};
        value = h.step(Map{body}, 1, 1);
        gradient = h.step(gemm(x, m), 4, 1);
    }
    void sum(ValueId of, std::int64_t rows) {
        h.output(h.step(BatchReduce{{of}}, rows, 1, Scope::reduced));
    }
    [[nodiscard]] ScalarType type(ValueId id) const { return h.program.value(id).type; }
};

TEST(Types, ANumberOfEachProblemThatOnlySumsAreMadeOfIsAnEntryOfAVector) {
    Loss loss;
    loss.sum(loss.value, 1);
    loss.sum(loss.gradient, 4);
    choose_types(loss.h.program);
    for (const ValueId id : {loss.z, loss.product, loss.m}) {
        EXPECT_EQ(loss.type(id), ScalarType::float32) << id;
    }
    // What is added up is double.
    EXPECT_EQ(loss.type(loss.value), ScalarType::float64);
    EXPECT_EQ(loss.type(loss.linear), ScalarType::float64);
    EXPECT_EQ(loss.h.program.steps[0].type, ScalarType::float32);
    EXPECT_EQ(loss.h.program.steps[1].type, ScalarType::float64);
}

TEST(Types, ANumberOfEachProblemIsDoubleWhereTheProblemHasAResultOfIt) {
    Loss loss;
    loss.sum(loss.value, 1);
    loss.h.output(loss.gradient);
    choose_types(loss.h.program);
    for (const ValueId id : {loss.z, loss.product, loss.m, loss.value, loss.linear}) {
        EXPECT_EQ(loss.type(id), ScalarType::float64) << id;
    }
}

TEST(Types, TheLargestEntryHasTheTypeOfTheEntries) {
    HandProgram h;
    h.program.type = ScalarType::float32;
    const ValueId x = h.operand("x", 4, 1);
    const auto largest = [&](const MapBody& body) {
        return h.step(Reduce{ReduceOp::max, ReduceOver::all, {"", 4}, {"", 1}, body, 1, {}}, 1, 1);
    };
    MapBody entries;
    entries.operands = {{{x}, Broadcast::none}};
    entries.code = {{MapOp::load, 0, -1, 0}};
    const ValueId entry = largest(entries);
    const ValueId square = largest(unary_body(MapOp::pow, {x}, 2));
    h.output(h.step(Map{binary_body(MapOp::sub, {entry}, {square})}, 1, 1));
    choose_types(h.program);
    EXPECT_EQ(h.program.value(entry).type, ScalarType::float32);
    EXPECT_EQ(h.program.steps[0].type, ScalarType::float32);
    EXPECT_EQ(h.program.value(square).type, ScalarType::float64);
    EXPECT_EQ(h.program.steps[1].type, ScalarType::float64);
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
