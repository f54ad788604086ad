#include "cpu/layout_choice.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cpu/executor.hpp"
#include "executors/build_program.hpp"

namespace matgrad::test {
namespace {

/// Planned for so many problems.
Program for_many(ProgramBuilder& build, std::int64_t batch = 1000) {
    Program program = build.finish();
    program.batch = batch;
    return program;
}

/// G = inv(chol(S)) applied to B, n-by-n.
Program cholesky(std::int64_t n) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId s = build.operand("S", n, n, true);
    const ValueId l = build.value(n, n);
    build.step(Potrf{use(s)}, l);
    const ValueId x = build.value(n, n);
    build.step(Trsm{Side::left, true, false, use(l), use(s)}, x);
    build.output(x);
    return for_many(build);
}

/// X (m-by-n, batched) times S (n-by-n, shared).
Program tall_product(std::int64_t m, std::int64_t n) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId x = build.operand("X", m, n, true);
    const ValueId s = build.operand("S", n, n, false);
    const ValueId out = build.value(m, n);
    build.step(Gemm{use(x), use(s), 1, 0, {}}, out);
    build.output(out);
    return for_many(build);
}

/// The residual x - V u of each problem, with V shared, and the sum over the batch of its product with u'.
Program shared_gradient(std::int64_t d, std::int64_t r) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId x = build.operand("x", d, 1, true);
    const ValueId u = build.operand("u", r, 1, true);
    const ValueId v = build.operand("V", d, r, false);
    const ValueId residual = build.value(d, 1);
    build.step(Gemm{use(v), use(u), -1, 1, use(x)}, residual);
    const ValueId product = build.value(d, r);
    build.step(Gemm{use(residual), use_transposed(u), -1, 0, {}}, product);
    const ValueId sum = build.value(d, r, Scope::reduced);
    build.step(BatchReduce{use(product)}, sum);
    build.output(sum);
    return for_many(build);
}

TEST(LayoutChoice, ASharedFactorAndASumOverTheBatchAreOneCallForManyProblems) {
    for (const std::int64_t d : {8, 32, 128}) {
        for (const std::int64_t r : {8, 32, 128}) {
            const CpuExecutor executor(shared_gradient(d, r), 2);
            const std::string text = executor.explain();
            EXPECT_EQ(text.find("cpu: run layout"), 0U) << text;
            for (const Step& step : executor.program().steps) {
                if (step.scope == Scope::problem) {
                    EXPECT_NE(
                        text.find("problems in one call: " + to_text(executor.program(), step)),
                        std::string::npos)
                        << text;
                }
            }
        }
    }
}

/// m = op(dot(x, w)) in double, with w shared, and the sum over the batch of m x.
Program shared_dot(std::int64_t d, MapOp op) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId x = build.operand("x", d, 1, true);
    const ValueId w = build.operand("w", d, 1, false);
    const ValueId z = build.value(1, 1, Scope::problem, ScalarType::float64);
    build.step(Reduce{ReduceOp::sum,
                      ReduceOver::all,
                      {"", d},
                      {"", 1},
                      {{{use(x), Broadcast::none}, {use(w), Broadcast::none}},
                       {{MapOp::load, 0}, {MapOp::load, 1}, {MapOp::mul, 0, 1}}},
                      1,
                      {}},
               z, ScalarType::float64);
    const ValueId m = build.value(1, 1, Scope::problem, ScalarType::float64);
    build.step(Map{{{{use(z), Broadcast::none}}, {{MapOp::load, 0}, {op, 0}}}}, m,
               ScalarType::float64);
    const ValueId product = build.value(d, 1);
    build.step(Gemm{use(x), use(m), 1, 0, {}}, product);
    const ValueId sum = build.value(d, 1, Scope::reduced);
    build.step(BatchReduce{use(product)}, sum);
    build.output(sum);
    return for_many(build);
}

TEST(LayoutChoice, ADotProductWithASharedVectorIsOneCallForManyProblems) {
    for (const std::int64_t d : {8, 32, 128}) {
        const CpuExecutor executor(shared_dot(d, MapOp::sigmoid), 2);
        const std::string text = executor.explain();
        EXPECT_EQ(text.find("cpu: run layout"), 0U) << text;
        for (const Step& step : executor.program().steps) {
            EXPECT_TRUE(step.scope != Scope::problem ||
                        text.find("problems in one call: " + to_text(executor.program(), step)) !=
                            std::string::npos)
                << text;
        }
    }
}

TEST(LayoutChoice, AFunctionCostsMoreThanAnAdditionInEveryLayout) {
    using detail::Layout;
    for (const Layout layout : {Layout::compact, Layout::plain, Layout::runs}) {
        const auto nanoseconds = [layout](MapOp op) {
            return detail::choose_layout(shared_dot(8, op), layout).nanoseconds;
        };
        EXPECT_GT(nanoseconds(MapOp::softplus), nanoseconds(MapOp::abs) + 1);
        EXPECT_GT(nanoseconds(MapOp::sqrt), nanoseconds(MapOp::abs));
    }
}

TEST(LayoutChoice, ALargeMatrixForEachProblemIsNoRun) {
    EXPECT_NE(detail::choose_layout(tall_product(400, 400)).layout, detail::Layout::runs);
}

TEST(LayoutChoice, SmallFactorizationsTakeOneLaneEach) {
    for (const std::int64_t n : {1, 4, 16, 32}) {
        const Program program = cholesky(n);
        const detail::LayoutChoice choice = detail::choose_layout(program);
        const bool in_lanes =
            choice.layout == detail::Layout::compact ||
            choice.reason.find("in lanes: " + to_text(program, program.steps[0])) !=
                std::string::npos;
        EXPECT_TRUE(in_lanes) << choice.reason;
    }
}

/// X'X of each problem, its factor, and X inv(L') inv(L): m-by-n.
Program gram_solve(std::int64_t m, std::int64_t n) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId x = build.operand("X", m, n, true);
    const ValueId g = build.value(n, n);
    build.step(Syrk{use_transposed(x), 1, false}, g);
    const ValueId l = build.value(n, n);
    build.step(Potrf{use(g)}, l);
    const ValueId half = build.value(m, n);
    build.step(Trsm{Side::right, true, true, use(l), use(x)}, half);
    const ValueId out = build.value(m, n);
    build.step(Trsm{Side::right, true, false, use(l), use(half), 2}, out);
    build.output(out);
    return for_many(build);
}

TEST(LayoutChoice, ProductsOfRowsThatFillVectorsStayBesideFactorsInLanes) {
    const CpuExecutor executor(gram_solve(64, 16), 1);
    const std::string text = executor.explain();
    EXPECT_EQ(text.find("cpu: run layout"), 0U) << text;
    const std::vector<Step>& steps = executor.program().steps;
    const auto at_once = [&](const std::string& step) {
        return text.find("problems in one call: " + step) != std::string::npos;
    };
    EXPECT_TRUE(at_once(to_text(executor.program(), steps.front()))) << text;
    EXPECT_TRUE(at_once("in lanes: " + to_text(executor.program(), steps[1]))) << text;
    EXPECT_TRUE(at_once(to_text(executor.program(), steps.back()))) << text;
}

TEST(LayoutChoice, OneProblemDoesNotTakeSixteenLanes) {
    Program program = tall_product(4, 4);
    program.batch = 1;
    EXPECT_EQ(detail::choose_layout(program).layout, detail::Layout::plain);
    program.batch = 16;
    EXPECT_NE(detail::choose_layout(program).layout, detail::Layout::plain);
}

TEST(LayoutChoice, LargeMatricesGoToTheBlas) {
    for (const std::int64_t n : {400, 1000}) {
        EXPECT_EQ(detail::choose_layout(cholesky(n)).layout, detail::Layout::plain) << n;
        EXPECT_EQ(detail::choose_layout(tall_product(n, n)).layout, detail::Layout::plain) << n;
    }
}

TEST(LayoutChoice, ATallProductIsNotTransposedIntoLanes) {
    EXPECT_NE(detail::choose_layout(tall_product(64, 16)).layout, detail::Layout::compact);
}

TEST(LayoutChoice, IsExplainedWithBothPredictions) {
    const std::string text = CpuExecutor(cholesky(8), 2).explain();
    EXPECT_NE(text.find("compact layout"), std::string::npos) << text;
    EXPECT_NE(text.find("us in the plain layout"), std::string::npos) << text;
    EXPECT_NE(text.find("2 threads"), std::string::npos) << text;
    EXPECT_NE(CpuExecutor(cholesky(1000), 1).explain().find("plain layout"), std::string::npos);
}

TEST(LayoutChoice, WorkspaceDoesNotDependOnTheBatch) {
    Program program = cholesky(8);
    const std::size_t bytes = CpuExecutor(program, 3).workspace_bytes();
    program.batch = 1'000'000;
    EXPECT_EQ(CpuExecutor(program, 3).workspace_bytes(), bytes);
    EXPECT_GT(bytes, CpuExecutor(program, 1).workspace_bytes());
}

}  // namespace
}  // namespace matgrad::test
