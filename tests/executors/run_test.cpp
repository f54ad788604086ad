/// What a whole run promises: status of each problem, neighbours untouched to the bit, results that
/// do not depend on place or batch, sums over the batch.

#include <gtest/gtest.h>

#include <limits>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"
#include "executors/pipeline.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class EveryExecutor : public testing::TestWithParam<std::tuple<ExecutorUnderTest, ScalarType>> {
protected:
    [[nodiscard]] static const ExecutorUnderTest& executor() { return std::get<0>(GetParam()); }
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Run, EveryExecutor,
                         testing::Combine(testing::ValuesIn(executors_under_test()),
                                          testing::ValuesIn(kTypes)),
                         name_of_executor_and_type);

TEST_P(EveryExecutor, OneBadProblemFailsAloneAndItsNeighboursKeepEveryBit) {
    constexpr std::int64_t kBatch = 37;
    const Pipeline pipeline(type());
    const PipelineData good(pipeline, kBatch);
    const PipelineResults before(executor(), pipeline, good, 1);
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
            PipelineData data = good;
            if (damage.in_s) {
                data.S.set(bad, damage.r, damage.c, damage.value);
            } else {
                data.A.set(bad, damage.r, damage.c, damage.value);
            }
            const bool searched = !damage.in_s && std::isnan(damage.value);
            const StatusKind kind =
                std::isfinite(damage.value) ? StatusKind::not_positive : StatusKind::not_finite;
            const PipelineResults after(executor(), pipeline, data, 2);
            EXPECT_EQ(after.run.summary.failed, 1);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                const std::int32_t status = after.run.status[static_cast<std::size_t>(p)];
                if (p == bad) {
                    if (searched && executor().latitude.passes_over_nan) {
                        EXPECT_GE(status, make_status(kind, damage.pivot));
                        EXPECT_LE(status, make_status(kind, pipeline.n));
                    } else {
                        EXPECT_EQ(status, make_status(kind, damage.pivot));
                    }
                    EXPECT_TRUE(after.all_nan(p));
                } else {
                    EXPECT_EQ(status, 0);
                    EXPECT_TRUE(after.same(p, before, p)) << "problem " << p;
                }
            }
        }
    }
}

TEST_P(EveryExecutor, ASingularMatrixFailsAtItsZeroPivot) {
    const Pipeline pipeline(type());
    PipelineData data(pipeline, 20);
    for (std::int64_t r = 0; r < pipeline.n; ++r) {
        data.A.set(3, r, 0, 0);
        data.A.set(7, r, 4, 0);
        data.A.set(9, 2, r, 0);  // a zero row: found at the last pivot
    }
    const PipelineResults results(executor(), pipeline, data, 2);
    EXPECT_EQ(results.run.status[3], make_status(StatusKind::singular, 1));
    EXPECT_EQ(results.run.status[7], make_status(StatusKind::singular, 5));
    EXPECT_EQ(results.run.status[9], make_status(StatusKind::singular, 6));
    EXPECT_EQ(results.run.summary.failed, 3);
    EXPECT_TRUE(results.all_nan(9));
}

TEST_P(EveryExecutor, TheFirstFailedFactorizationInStepOrderWins) {
    const Pipeline pipeline(type());
    PipelineData data(pipeline, 3);
    data.S.set(1, 4, 4, kNan);
    data.A.set(1, 0, 0, kNan);
    const PipelineResults results(executor(), pipeline, data, 1);
    EXPECT_EQ(results.run.status[1], make_status(StatusKind::not_finite, 5));
}

TEST_P(EveryExecutor, ResultsDoNotDependOnPlaceBatchOrThreads) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 70);
    const PipelineResults whole(executor(), pipeline, data, 1);
    for (const int threads : {2, 5}) {
        const PipelineResults again(executor(), pipeline, data, threads);
        for (std::int64_t p = 0; p < 70; ++p) {
            EXPECT_TRUE(again.same(p, whole, p));
        }
    }
    // The same problems in other places of smaller batches.
    for (const std::int64_t batch : {1, 2, 15, 16, 17, 33}) {
        PipelineData part(pipeline, batch);
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
        const PipelineResults results(executor(), pipeline, part, 2);
        for (std::int64_t p = 0; p < batch; ++p) {
            SCOPED_TRACE(testing::Message() << "batch " << batch << " problem " << p);
            const std::int64_t from = (7 * p + 11) % 70;
            if (executor().latitude.batch_length) {
                expect_solutions_agree(matrix(results.G, p), matrix(whole.G, from), type(),
                                       PipelineData::kShift);
            } else {
                EXPECT_TRUE(results.same(p, whole, from));
            }
        }
    }
}

TEST_P(EveryExecutor, SumsCoverTheProblemsThatSucceededWhateverTheThreads) {
    const Pipeline pipeline(type(), 6, 5, true);
    for (const std::int64_t batch : {0, 1, 16, 17, 333}) {
        PipelineData data(pipeline, batch);
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
            const RunResult result = run(executor(), pipeline.program, batch, data.all(),
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

TEST_P(EveryExecutor, AFailedSharedStepFailsEveryProblem) {
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
    const RunResult result =
        run(executor(), program, 19, {&S, &b}, {&g, &inverse, &sum, &shared_sum, &last});
    EXPECT_EQ(result.summary.failed, 19);
    for (const std::int32_t status : result.status) {
        EXPECT_EQ(status, make_status(StatusKind::not_finite, 3));
    }
    for (std::int64_t p = 0; p < 19; ++p) {
        EXPECT_TRUE(std::isnan(g.get(p, 3, 0)));
    }
    EXPECT_TRUE(std::isnan(inverse.get(0, 0, 3)));
    EXPECT_EQ(sum.get(0, 1, 0), 0);
}

TEST_P(EveryExecutor, SharedResultsAreWrittenOnceAndSharedValuesSumByCount) {
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
        run(executor(), program, batch, {&S, &b}, {&g, &inverse, &sum, &shared_sum, &last}, 2);
        EXPECT_NE(inverse.get(0, 3, 0), 0);
        const double want = static_cast<double>(batch) * inverse.get(0, 3, 0);
        EXPECT_NEAR(shared_sum.get(0, 3, 0), want,
                    static_cast<double>(32 * unit(type())) * std::abs(want));
        EXPECT_NEAR(last.get(0, 2, 0), 3 * sum.get(0, 2, 0),
                    static_cast<double>(4 * unit(type())) * std::abs(3 * sum.get(0, 2, 0)));
    }
}

TEST_P(EveryExecutor, EmptyMatricesAreLegal) {
    const Pipeline no_columns(type(), 3, 0);
    const PipelineData data(no_columns, 18);
    const PipelineResults results(executor(), no_columns, data, 2);
    EXPECT_EQ(results.run.summary.failed, 0);
    EXPECT_EQ(results.V.get(17, 0, 0), 0);
    const Pipeline no_rows(type(), 0, 3);
    const PipelineData empty(no_rows, 18);
    const PipelineResults none(executor(), no_rows, empty, 2);
    EXPECT_EQ(none.run.summary.failed, 0);
    EXPECT_EQ(none.V.get(17, 0, 0), 0);
}

}  // namespace
}  // namespace matgrad::test
