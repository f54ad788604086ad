/// What a whole run promises: status of each problem, neighbours untouched to the bit, results that
/// do not depend on place, batch or threads, sums over the batch, interruption.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "cpu/build_program.hpp"
#include "cpu/naive.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

struct Data {
    Matrices S, A, B, C;

    Data(ScalarType type, const Pipeline& p, std::int64_t batch)
        : S(type, batch, p.n, p.n),
          A(type, batch, p.n, p.n, Order::columns),
          B(type, batch, p.n, p.m, Order::padded_rows),
          C(type, 1, p.m, p.m) {
        S.make_positive(1, 0.5);
        A.fill_random(2);
        B.fill_random(3);
        C.fill_random(4);
    }
    [[nodiscard]] std::vector<const Matrices*> all() const { return {&S, &A, &B, &C}; }
};

struct Results {
    Matrices HC, V, G;
    RunResult run;

    Results(ScalarType type, const Pipeline& p, const Data& data, int threads)
        : HC(type, data.S.batch(), p.n, p.m),
          V(type, data.S.batch(), 1, 1),
          G(type, data.S.batch(), p.m, p.n, Order::reversed_rows) {
        run = test::run(p.program, data.S.batch(), data.all(), {&HC, &V, &G}, threads);
    }
    [[nodiscard]] bool same(std::int64_t problem, const Results& other,
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

class EveryLayout : public testing::TestWithParam<std::tuple<detail::Layout, ScalarType>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
    ForcedLayout forced_{std::get<0>(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Run, EveryLayout,
                         testing::Combine(testing::ValuesIn(kLayouts), testing::ValuesIn(kTypes)));

TEST_P(EveryLayout, OneBadProblemFailsAloneAndItsNeighboursKeepEveryBit) {
    constexpr std::int64_t kBatch = 37;
    const Pipeline pipeline(type());
    const Data good(type(), pipeline, kBatch);
    const Results before(type(), pipeline, good, 1);
    ASSERT_EQ(before.run.summary.failed, 0);
    struct Damage {
        bool in_s;
        std::int64_t r, c;
        double value;
        int pivot;
    };
    // A positive matrix with one bad entry fails at the pivot of the entry's row. In LU a NaN is
    // chosen as soon as its column is reached; rows with an infinity make it the pivot, too.
    const Damage damages[] = {
        {true, 0, 0, kNan, 1},       {true, 3, 3, kNan, 4},      {true, 4, 2, kNan, 5},
        {true, 3, 3, kInfinity, 4},  {true, 4, 1, kInfinity, 5}, {true, 2, 2, -1, 3},
        {true, 5, 5, -kInfinity, 6}, {true, 0, 0, 0, 1},         {false, 2, 0, kNan, 1},
        {false, 0, 0, kInfinity, 1}, {false, 3, 4, kNan, 5},     {false, 5, 5, kNan, 6},
        {false, 1, 0, -kInfinity, 1}};
    for (const Damage& damage : damages) {
        for (const std::int64_t bad : {0, 5, 15, 16, 36}) {
            SCOPED_TRACE(testing::Message()
                         << (damage.in_s ? "S " : "A ") << damage.r << "," << damage.c << " = "
                         << damage.value << " in problem " << bad);
            Data data = good;
            if (damage.in_s) {
                data.S.set(bad, damage.r, damage.c, damage.value);
            } else {
                data.A.set(bad, damage.r, damage.c, damage.value);
            }
            const Results after(type(), pipeline, data, 2);
            EXPECT_EQ(after.run.summary.failed, 1);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                const std::int32_t status = after.run.status[static_cast<std::size_t>(p)];
                if (p == bad) {
                    EXPECT_EQ(status, damage.pivot);
                    EXPECT_TRUE(after.all_nan(p));
                } else {
                    EXPECT_EQ(status, 0);
                    EXPECT_TRUE(after.same(p, before, p)) << "problem " << p;
                }
            }
        }
    }
}

TEST_P(EveryLayout, ASingularMatrixFailsAtItsZeroPivot) {
    const Pipeline pipeline(type());
    Data data(type(), pipeline, 20);
    for (std::int64_t r = 0; r < pipeline.n; ++r) {
        data.A.set(3, r, 0, 0);
        data.A.set(7, r, 4, 0);
        data.A.set(9, 2, r, 0);  // a zero row: found at the last pivot
    }
    const Results results(type(), pipeline, data, 2);
    EXPECT_EQ(results.run.status[3], 1);
    EXPECT_EQ(results.run.status[7], 5);
    EXPECT_EQ(results.run.status[9], 6);
    EXPECT_EQ(results.run.summary.failed, 3);
    EXPECT_TRUE(results.all_nan(9));
}

TEST_P(EveryLayout, TheFirstFailedFactorizationInStepOrderWins) {
    const Pipeline pipeline(type());
    Data data(type(), pipeline, 3);
    data.S.set(1, 4, 4, kNan);
    data.A.set(1, 0, 0, kNan);
    const Results results(type(), pipeline, data, 1);
    EXPECT_EQ(results.run.status[1], 5);
}

TEST_P(EveryLayout, ResultsDoNotDependOnPlaceBatchOrThreads) {
    const Pipeline pipeline(type());
    const Data data(type(), pipeline, 70);
    const Results whole(type(), pipeline, data, 1);
    for (const int threads : {2, 5}) {
        const Results again(type(), pipeline, data, threads);
        for (std::int64_t p = 0; p < 70; ++p) {
            EXPECT_TRUE(again.same(p, whole, p));
        }
    }
    // The same problems in other places of smaller batches.
    for (const std::int64_t batch : {1, 2, 15, 16, 17, 33}) {
        Data part(type(), pipeline, batch);
        part.C = data.C;
        for (std::int64_t p = 0; p < batch; ++p) {
            const std::int64_t from = (7 * p + 11) % 70;
            for (std::int64_t r = 0; r < pipeline.n; ++r) {
                for (std::int64_t c = 0; c < pipeline.n; ++c) {
                    part.S.set(p, r, c, data.S.get(from, r, c));
                    part.A.set(p, r, c, data.A.get(from, r, c));
                }
                for (std::int64_t c = 0; c < pipeline.m; ++c) {
                    part.B.set(p, r, c, data.B.get(from, r, c));
                }
            }
        }
        const Results results(type(), pipeline, part, 2);
        for (std::int64_t p = 0; p < batch; ++p) {
            EXPECT_TRUE(results.same(p, whole, (7 * p + 11) % 70)) << "batch " << batch;
        }
    }
}

TEST_P(EveryLayout, SumsCoverTheProblemsThatSucceededWhateverTheThreads) {
    const Pipeline pipeline(type(), 6, 5, true);
    for (const std::int64_t batch : {0, 1, 16, 17, 333}) {
        Data data(type(), pipeline, batch);
        std::int64_t failed = 0;
        for (std::int64_t p = 3; p < batch; p += 10) {
            data.S.set(p, 1, 1, p % 20 == 3 ? kNan : -1);
            ++failed;
        }
        std::vector<Matrices> first;
        for (const int threads : {1, 2, 5}) {
            Matrices sum(type(), 1, 6, 5, Order::padded_rows);
            Matrices flipped(type(), 1, 5, 6);
            Matrices total(type(), 1, 1, 1);
            Matrices HC(type(), batch, 6, 5);
            Matrices V(type(), batch, 1, 1);
            Matrices G(type(), batch, 5, 6);
            const RunResult result = run(pipeline.program, batch, data.all(),
                                         {&sum, &flipped, &total, &HC, &V, &G}, threads);
            EXPECT_EQ(result.summary.failed, failed);
            Naive want(6, 5);
            Naive sizes(6, 5);
            for (std::int64_t p = 0; p < batch; ++p) {
                if (result.status[static_cast<std::size_t>(p)] == 0) {
                    want = plus(want, matrix(HC, p));
                    sizes = plus(sizes, absolute(matrix(HC, p)));
                }
            }
            // Summed in double, rounded once.
            const long double bound =
                static_cast<long double>(batch) * unit(ScalarType::float64) + 2 * unit(type());
            expect_within(matrix(sum, 0), want, scaled(bound, sizes));
            expect_within(matrix(flipped, 0), transpose(want), scaled(bound, transpose(sizes)));
            if (first.empty()) {
                first = {sum, flipped, total};
            }
            EXPECT_TRUE(sum.same_bits(0, first[0], 0));
            EXPECT_TRUE(flipped.same_bits(0, first[1], 0));
            EXPECT_TRUE(total.same_bits(0, first[2], 0));
        }
    }
}

/// g = S^-1 b with S shared, and the factor of S itself not batched.
Program shared_solve(ScalarType type, bool summed) {
    ProgramBuilder build(type);
    const ValueId s = build.operand("S", 4, 4, false);
    const ValueId b = build.operand("b", 4, 1, true);
    const ValueId l = build.value(4, 4, Scope::shared);
    build.step(Potrf{use(s)}, l);
    const ValueId inverse = build.value(4, 4, Scope::shared);
    build.step(Trsm{Side::left, true, false, use(l), {}}, inverse);
    const ValueId g = build.value(4, 1);
    build.step(Gemm{use(inverse), use(b), 1, 0, {}}, g);
    build.output(g);
    build.output(inverse);
    if (summed) {
        const ValueId sum = build.value(4, 1, Scope::reduced);
        const ValueId shared_sum = build.value(4, 4, Scope::reduced);
        const ValueId last = build.value(4, 1, Scope::reduced);
        build.step(BatchReduce{use(g)}, sum);
        build.step(BatchReduce{use(inverse)}, shared_sum);
        build.step(Map{{{{use(sum), Broadcast::none}},
                        {{MapOp::load, 0, -1, 0}, {MapOp::scale, 0, -1, 3}}}},
                   last);
        build.output(sum);
        build.output(shared_sum);
        build.output(last);
    }
    return build.finish();
}

TEST_P(EveryLayout, AFailedSharedStepFailsEveryProblem) {
    const Program program = shared_solve(type(), true);
    Matrices S(type(), 1, 4, 4);
    Matrices b(type(), 19, 4, 1);
    S.make_positive(1, 1);
    b.fill_random(2);
    S.set(0, 2, 1, kNan);
    Matrices g(type(), 19, 4, 1);
    Matrices inverse(type(), 1, 4, 4);
    Matrices sum(type(), 1, 4, 1);
    Matrices shared_sum(type(), 1, 4, 4);
    Matrices last(type(), 1, 4, 1);
    const RunResult result = run(program, 19, {&S, &b}, {&g, &inverse, &sum, &shared_sum, &last});
    EXPECT_EQ(result.summary.failed, 19);
    for (const std::int32_t status : result.status) {
        EXPECT_EQ(status, 3);
    }
    for (std::int64_t p = 0; p < 19; ++p) {
        EXPECT_TRUE(std::isnan(g.get(p, 3, 0)));
    }
    EXPECT_TRUE(std::isnan(inverse.get(0, 0, 3)));
    EXPECT_EQ(sum.get(0, 1, 0), 0);
}

TEST_P(EveryLayout, SharedResultsAreWrittenOnceAndSharedValuesSumByCount) {
    const Program program = shared_solve(type(), true);
    Matrices S(type(), 1, 4, 4);
    S.make_positive(1, 1);
    for (const std::int64_t batch : {0, 1, 19}) {
        Matrices b(type(), batch, 4, 1);
        b.fill_random(2);
        Matrices g(type(), batch, 4, 1);
        Matrices inverse(type(), 1, 4, 4);
        Matrices sum(type(), 1, 4, 1);
        Matrices shared_sum(type(), 1, 4, 4);
        Matrices last(type(), 1, 4, 1);
        run(program, batch, {&S, &b}, {&g, &inverse, &sum, &shared_sum, &last}, 2);
        EXPECT_NE(inverse.get(0, 3, 0), 0);
        const double want = static_cast<double>(batch) * inverse.get(0, 3, 0);
        EXPECT_NEAR(shared_sum.get(0, 3, 0), want,
                    static_cast<double>(32 * unit(type())) * std::abs(want));
        EXPECT_NEAR(last.get(0, 2, 0), 3 * sum.get(0, 2, 0),
                    static_cast<double>(4 * unit(type())) * std::abs(3 * sum.get(0, 2, 0)));
    }
}

TEST_P(EveryLayout, EmptyMatricesAreLegal) {
    const Pipeline no_columns(type(), 3, 0);
    const Data data(type(), no_columns, 18);
    const Results results(type(), no_columns, data, 2);
    EXPECT_EQ(results.run.summary.failed, 0);
    EXPECT_EQ(results.V.get(17, 0, 0), 0);
    const Pipeline no_rows(type(), 0, 3);
    const Data empty(type(), no_rows, 18);
    const Results none(type(), no_rows, empty, 2);
    EXPECT_EQ(none.run.summary.failed, 0);
    EXPECT_EQ(none.V.get(17, 0, 0), 0);
}

TEST_P(EveryLayout, AHookThatRefusesStopsTheRunBeforeItBegins) {
    const Pipeline pipeline(type());
    const Data data(type(), pipeline, 5);
    Matrices HC(type(), 5, pipeline.n, pipeline.m);
    Matrices V(type(), 5, 1, 1);
    Matrices G(type(), 5, pipeline.m, pipeline.n);
    V.fill_random(1, 7, 7);
    const RunHooks refuse{[](std::int64_t) { return false; }};
    EXPECT_THROW(run(pipeline.program, 5, data.all(), {&HC, &V, &G}, 2, refuse), Interrupted);
    EXPECT_EQ(V.get(0, 0, 0), 7);
}

TEST_P(EveryLayout, ALongRunTellsItsProgressAndEndsPromptly) {
    const Pipeline pipeline(type(), 12, 8);
    // All problems read the same memory, so that a long run needs little of it.
    const Data data(type(), pipeline, 1);
    constexpr std::int64_t kBatch = 200'000'000;
    std::vector<ConstBatch> inputs;
    for (const Matrices* matrices : data.all()) {
        inputs.push_back(matrices->input());
        inputs.back().batch_stride = 0;
    }
    ProgramBuilder build(type());
    const ValueId s = build.operand("S", 12, 12, true);
    const ValueId l = build.value(12, 12);
    build.step(Potrf{use(s)}, l);
    const ValueId v = build.value(1, 1);
    build.step(Reduce{ReduceOp::product,
                      ReduceOver::diagonal,
                      {"n", 12},
                      {"n", 12},
                      {{{use(l), Broadcast::none}}, {{MapOp::load, 0, -1, 0}}},
                      1,
                      {}},
               v);
    const ValueId sum = build.value(1, 1, Scope::reduced);
    build.step(BatchReduce{use(v)}, sum);
    build.output(sum);
    const Program program = build.finish();
    Matrices total(type(), 1, 1, 1);
    const std::vector<Batch> outputs = {total.output()};
    std::vector<std::byte> workspace(cpu_workspace_bytes(program, 2) + 64);
    auto* start = workspace.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace.data()) % 64);
    std::atomic<int> inside{0};
    std::vector<std::int64_t> told;
    std::chrono::steady_clock::time_point refused;
    const RunHooks hooks{[&](std::int64_t done) {
        EXPECT_EQ(inside.fetch_add(1), 0) << "called from two threads at once";
        told.push_back(done);
        inside.fetch_sub(1);
        refused = std::chrono::steady_clock::now();
        return told.size() < 4;
    }};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW((void)run_on_cpu(program, kBatch, {inputs.data(), 1}, outputs, {},
                                  {start, workspace.size() - 64}, 2, hooks),
                 Interrupted);
    const auto end = std::chrono::steady_clock::now();
    ASSERT_EQ(told.size(), 4U);
    EXPECT_EQ(told[0], 0);
    EXPECT_TRUE(told[1] > 0 && told[1] < told[2] && told[2] < told[3] && told[3] < kBatch);
    // A tile or two after the refusal, on however busy a machine.
    EXPECT_LT(end - refused, std::chrono::milliseconds(1000));
    EXPECT_GT(end - begin, std::chrono::milliseconds(150));  // not asked all the time
}

TEST(Layouts, AgreeWithEachOther) {
    // Both solve S g = b: their residuals are small, so they differ by at most cond(S) times that.
    // S = M M' + 2 I with entries of M in [-1, 1]: the eigenvalues lie in [2, 2 + n^2].
    for (const ScalarType type : kTypes) {
        for (const std::int64_t n : {1, 4, 5, 17, 30}) {
            const Pipeline pipeline(type, n, 3);
            Data data(type, pipeline, 33);
            data.S.make_positive(9, 2);
            std::vector<Results> results;
            for (const detail::Layout layout : kLayouts) {
                const ForcedLayout forced(layout);
                results.emplace_back(type, pipeline, data, 2);
                EXPECT_EQ(results.back().run.summary.failed, 0);
            }
            const auto order = static_cast<long double>(n);
            const long double condition = (2 + order * order) / 2;
            for (std::int64_t p = 0; p < 33; ++p) {
                const Naive a = matrix(results[0].G, p);
                const Naive b = matrix(results[1].G, p);
                for (std::int64_t r = 0; r < 3; ++r) {
                    long double size = 0;
                    for (std::int64_t c = 0; c < n; ++c) {
                        size += a(r, c) * a(r, c);
                    }
                    for (std::int64_t c = 0; c < n; ++c) {
                        // Higham 10.4: 4 n (3n + 1) u cond, for each of the two.
                        EXPECT_LE(std::abs(a(r, c) - b(r, c)), 2 * 4 * order * (3 * order + 1) *
                                                                   unit(type) * condition *
                                                                   std::sqrt(size));
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
