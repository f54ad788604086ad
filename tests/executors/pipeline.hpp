#pragma once
/// \file A Program with every kind of step, its data and its results.

#include <gtest/gtest.h>

#include <cmath>

#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {

/// G = S^-1 B by Cholesky, H = A^-1 B by LU, v = sum of exp(G): every kind of step in one Program.
struct Pipeline {
    Program program;
    std::int64_t n, m;

    explicit Pipeline(ScalarType type, std::int64_t order = 6, std::int64_t width = 5,
                      bool summed = false)
        : n(order), m(width) {
        ProgramBuilder build(type);
        const ValueId s = build.operand("S", n, n, true);
        const ValueId a = build.operand("A", n, n, true);
        const ValueId b = build.operand("B", n, m, true);
        const ValueId c = build.operand("C", m, m, false);
        const ValueId l = build.value(n, n);
        build.step(Potrf{use(s)}, l);
        const ValueId half = build.value(n, m);
        build.step(Trsm{Side::left, true, false, use(l), use(b)}, half);
        const ValueId g = build.value(n, m);
        build.step(Trsm{Side::left, true, true, use(l), use(half)}, g);
        const ValueId lu = build.value(n, n);
        const ValueId pivots = build.value(n, 1);
        build.step(Getrf{use(a), true}, lu, {}, pivots);
        const ValueId h = build.value(n, m);
        build.step(Solve{Side::left, false, use(lu), use(pivots), use(b)}, h);
        const ValueId hc = build.value(n, m);
        build.step(Gemm{use(h), use(c), 1, 1, use(g)}, hc);
        const ValueId v = build.value(1, 1);
        build.step(Reduce{ReduceOp::sum,
                          ReduceOver::all,
                          {"n", n},
                          {"m", m},
                          {{{use(g), Broadcast::none}},
                           {{MapOp::load, 0, -1, 0}, {MapOp::tanh, 0, -1, 0}}},
                          1,
                          {}},
                   v);
        if (summed) {
            const ValueId sum = build.value(n, m, Scope::reduced);
            const ValueId flipped = build.value(m, n, Scope::reduced);
            const ValueId total = build.value(1, 1, Scope::reduced);
            build.step(BatchReduce{use(hc)}, sum);
            build.step(BatchReduce{use_transposed(hc)}, flipped);
            build.step(BatchReduce{use(v)}, total);
            build.output(sum);
            build.output(flipped);
            build.output(total);
        }
        build.output(hc);
        build.output(v);
        build.output(g, true);
        program = build.finish();
    }
};

struct PipelineData {
    static constexpr double kShift = 0.5;  ///< no eigenvalue of S is less
    Matrices S, A, B, C;

    PipelineData(const Pipeline& p, std::int64_t batch)
        : S(p.program.type, batch, p.n, p.n),
          A(p.program.type, batch, p.n, p.n, Order::columns),
          B(p.program.type, batch, p.n, p.m, Order::padded_rows),
          C(p.program.type, 1, p.m, p.m) {
        S.make_positive(1, kShift);
        A.fill_random(2);
        B.fill_random(3);
        C.fill_random(4);
    }
    [[nodiscard]] std::vector<const Matrices*> all() const { return {&S, &A, &B, &C}; }
};

struct PipelineResults {
    Matrices HC, V, G;
    RunResult run;

    PipelineResults(const ExecutorUnderTest& executor, const Pipeline& p, const PipelineData& data,
                    int threads)
        : HC(p.program.type, data.S.batch(), p.n, p.m),
          V(p.program.type, data.S.batch(), 1, 1),
          G(p.program.type, data.S.batch(), p.m, p.n, Order::reversed_rows) {
        run = test::run(executor, p.program, data.S.batch(), data.all(), {&HC, &V, &G}, threads);
    }
    [[nodiscard]] bool same(std::int64_t problem, const PipelineResults& other,
                            std::int64_t other_problem) const {
        return HC.same_bits(problem, other.HC, other_problem) &&
               V.same_bits(problem, other.V, other_problem) &&
               G.same_bits(problem, other.G, other_problem);
    }
    [[nodiscard]] bool all_nan(std::int64_t problem) const {
        bool nan = std::isnan(V.get(problem, 0, 0));
        for (std::int64_t r = 0; r < HC.rows(); ++r) {
            for (std::int64_t c = 0; c < HC.cols(); ++c) {
                nan = nan && std::isnan(HC.get(problem, r, c)) && std::isnan(G.get(problem, c, r));
            }
        }
        return nan;
    }
};

/// G of two runs of one problem, by other algorithms or in another order of additions.
///
/// Both solve S g = b: their residuals are small, so they differ by at most cond(S) times that.
/// S = M M' + shift I with entries of M in [-1, 1]: its eigenvalues lie in [shift, shift + n^2].
inline void expect_solutions_agree(const Naive& a, const Naive& b, ScalarType type, double shift) {
    const auto n = static_cast<long double>(a.cols);
    const long double condition = (shift + n * n) / shift;
    Naive bound(a.rows, a.cols);
    for (std::int64_t r = 0; r < a.rows; ++r) {
        long double size = 0;
        for (std::int64_t c = 0; c < a.cols; ++c) {
            size += a(r, c) * a(r, c);
        }
        for (std::int64_t c = 0; c < a.cols; ++c) {
            // Higham 10.4: 4 n (3n + 1) u cond, for each of the two.
            bound(r, c) = 2 * 4 * n * (3 * n + 1) * unit(type) * condition * std::sqrt(size);
        }
    }
    expect_within(a, b, bound);
}

}  // namespace matgrad::test
