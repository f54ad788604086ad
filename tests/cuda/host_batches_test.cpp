/// Batches in host memory: in chunks where the device is small, over several devices, from any
/// strides, interrupted. On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "cuda/device_run.hpp"
#include "cuda/flavour.hpp"
#include "cuda/host_run.hpp"
#include "executors/call_wishes.hpp"
#include "executors/host_memory_run.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class HostBatches : public testing::TestWithParam<ScalarType> {
protected:
    [[nodiscard]] static ScalarType type() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Types, HostBatches, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

PipelineData damaged(const Pipeline& pipeline, std::int64_t batch) {
    PipelineData data(pipeline, batch);
    for (std::int64_t p = 3; p < batch; p += 10) {
        data.S.set(p, 1, 1, p % 20 == 3 ? kNan : -1);
    }
    return data;
}

TEST_P(HostBatches, LargerThanTheMemoryTheyMayTakeGoThroughInChunks) {
    const Pipeline pipeline(type(), 6, 5, true);
    for (const std::int64_t batch : {0, 1, 7, 500, 3001}) {
        SCOPED_TRACE(testing::Message() << "batch " << batch);
        const PipelineData data = damaged(pipeline, batch);
        HostResults whole(pipeline, batch);
        HostRun run(pipeline.program, {});
        run(data, whole);
        HostResults chunked(pipeline, batch);
        HostRun small = small_run(pipeline);
        const RunSummary summary = small(data, chunked);
        EXPECT_EQ(summary.problems, batch);
        EXPECT_EQ(summary.failed, (batch + 6) / 10);
        chunked.expect_like(whole);
        EXPECT_GE(small.reports().size(), batch > 1000 ? 4U : 1U);
        HostResults again(pipeline, batch);  // with the buffers that the first call has left
        small(data, again);
        again.expect_like(whole);
    }
}

TEST_P(HostBatches, MeansCountTheProblemsOfAllChunksThatSucceeded) {
    const Pipeline pipeline(type(), 6, 5, true);
    constexpr std::int64_t kBatch = 2000;
    PipelineData data = damaged(pipeline, kBatch);
    for (std::int64_t p = 700; p < 1500; ++p) {  // whole chunks of nothing
        data.S.set(p, 0, 0, -1);
    }
    HostResults sums(pipeline, kBatch);
    const RunSummary summary = small_run(pipeline)(data, sums);
    HostResults means(pipeline, kBatch);
    HostRun run = small_run(pipeline, true);
    EXPECT_EQ(run(data, means).failed, summary.failed);
    const auto count = static_cast<double>(kBatch - summary.failed);
    const auto u = static_cast<double>(unit(type()));
    for (std::int64_t r = 0; r < 6; ++r) {
        for (std::int64_t c = 0; c < 5; ++c) {
            // Both are sums of what the chunks gave, rounded once each: at most so many of them.
            const double bound = 4 * u * sums.absolute_sum(r, c) / count;
            EXPECT_NEAR(means.sum.get(0, r, c), sums.sum.get(0, r, c) / count, bound);
            EXPECT_NEAR(means.flipped.get(0, c, r), sums.sum.get(0, r, c) / count, bound);
        }
    }
    // What each problem has is divided too, once the last chunk is in.
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const double want = sums.V.get(p, 0, 0) / count;
        if (std::isnan(want)) {
            EXPECT_TRUE(std::isnan(means.V.get(p, 0, 0)));
        } else {
            EXPECT_NEAR(means.V.get(p, 0, 0), want, 2 * u * std::abs(want));
        }
    }
}

TEST_P(HostBatches, WhereEveryProblemFailsHaveSumsOfZeroAndMeansOfNan) {
    const Pipeline pipeline(type(), 6, 5, true);
    PipelineData data(pipeline, 900);
    for (std::int64_t p = 0; p < 900; ++p) {
        data.S.set(p, 2, 2, kNan);
    }
    for (const bool mean : {false, true}) {
        HostResults results(pipeline, 900);
        HostRun run = small_run(pipeline, mean);
        EXPECT_EQ(run(data, results).failed, 900);
        for (const std::int32_t status : results.status) {
            EXPECT_EQ(status, make_status(StatusKind::not_finite, 3));
        }
        EXPECT_TRUE(std::isnan(results.V.get(899, 0, 0)));
        EXPECT_EQ(std::isnan(results.total.get(0, 0, 0)), mean);
        EXPECT_EQ(results.total.get(0, 0, 0) == 0, !mean);
    }
}

TEST_P(HostBatches, OfAnyStridesAreReadAndWrittenInPlace) {
    const Pipeline pipeline(type());
    for (const Order order : kOrders) {
        for (const bool reversed : {false, true}) {
            PipelineData data(pipeline, 300);
            HostResults want(pipeline, 300);
            HostRun run(pipeline.program, {});
            run(data, want);
            Matrices S(type(), 300, 6, 6, order, reversed);
            Matrices A(type(), 300, 6, 6, order);
            Matrices B(type(), 300, 6, 5, order, reversed);
            Matrices C(type(), 1, 5, 5, order);
            for (const auto& [from, to] : {std::pair(&data.S, &S), std::pair(&data.A, &A),
                                           std::pair(&data.B, &B), std::pair(&data.C, &C)}) {
                for (std::int64_t p = 0; p < to->batch(); ++p) {
                    for (std::int64_t r = 0; r < to->rows(); ++r) {
                        for (std::int64_t c = 0; c < to->cols(); ++c) {
                            to->set(p, r, c, from->get(p, r, c));
                        }
                    }
                }
            }
            data.S = S;
            data.A = A;
            data.B = B;
            data.C = C;
            HostResults got(pipeline, 300, order, reversed);
            small_run(pipeline)(data, got);
            got.expect_like(want);
        }
    }
}

TEST_P(HostBatches, OnSeveralDevicesGiveOneResult) {
    if (!have_second_device()) {
        GTEST_SKIP() << "one GPU alone";
    }
    const Pipeline pipeline(type(), 6, 5, true);
    for (const std::int64_t batch : {0, 1, 2, 1777}) {
        const PipelineData data = damaged(pipeline, batch);
        HostResults want(pipeline, batch);
        HostRun(pipeline.program, {})(data, want);
        for (const bool small : {false, true}) {
            HostResults got(pipeline, batch);
            HostRun run = small ? small_run(pipeline, false, true)
                                : HostRun(pipeline.program, {.all_devices = true});
            EXPECT_EQ(run(data, got).failed, (batch + 6) / 10);
            got.expect_like(want);
        }
    }
}

TEST_P(HostBatches, TellTheirProgressAndStopWhenAHookRefuses) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 3000);
    HostResults results(pipeline, 3000);
    HostRun run = small_run(pipeline);
    run(data, results);
    const std::vector<std::int64_t> all = run.reports();
    ASSERT_GT(all.size(), 4U);
    EXPECT_EQ(all.front(), 0);
    EXPECT_EQ(all.back(), 3000);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    run.refuse_after(3);
    HostResults stopped(pipeline, 3000);
    EXPECT_THROW(run(data, stopped), Interrupted);
    EXPECT_EQ(run.reports().size(), 3U);
    run.refuse_after(-1);
    HostResults again(pipeline, 3000);
    run(data, again);
    again.expect_like(results);
}

TEST_P(HostBatches, MayLieInPinnedMemory) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 400);
    HostResults want(pipeline, 400);
    HostRun run = small_run(pipeline);
    run(data, want);
    HostResults got(pipeline, 400);
    run.from_pinned_memory(data, got);
    got.expect_like(want);
}

TEST_P(HostBatches, WithoutRoomForOneProblemAreRefusedInClearWords) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 10);
    HostResults results(pipeline, 10);
    HostRun run(pipeline.program, {});
    run.take_at_most(1000);
    try {
        run(data, results);
        ADD_FAILURE() << "was accepted";
    } catch (const MachineError& error) {
        EXPECT_NE(std::string(error.what()).find("cuda:0"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("memory"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("1000"), std::string::npos) << error.what();
    }
}

/// Batches in host memory, in chunks of some problems.
ExecutorUnderTest streamed(bool all_devices) {
    ExecutorUnderTest executor;
    executor.name = "streamed";
    executor.latitude = {true, true, true, true};
    executor.run = [all_devices](const Program& program, std::int64_t batch,
                                 const std::vector<const Matrices*>& operands,
                                 const std::vector<Matrices*>& results, int threads,
                                 const CallWishes& wishes) {
        gpu::ExecutorOptions options;
        options.workspace_limit = 1;
        options.device_memory =
            module_under_test().make_executor(program, options)->workspace_bytes() + (16U << 10);
        options.all_devices = all_devices;
        options.threads = threads;
        const auto gpus = module_under_test().make_executor(program, options);
        return run_in_host_memory(*gpus, batch, operands, results, wishes);
    };
    return executor;
}

TEST_P(HostBatches, AreAddedToBetaTimesWhatIsThere) {
    expect_added_results(streamed(false), type());
    expect_added_results(streamed(true), type());
}

TEST_P(HostBatches, HaveTheProblemsThatTheRowsName) {
    expect_named_problems(streamed(false), type());
    expect_named_problems(streamed(true), type());
}

TEST_P(HostBatches, AreCopiedByTheThreadsOfTheirCaller) {
    // Some megabytes, so that several threads are worth their while.
    ProgramBuilder build(type());
    constexpr std::int64_t n = 64;
    const ValueId a = build.operand("A", n, n, true);
    const ValueId sum = build.value(n, n);
    build.step(Map{{{{use(a), Broadcast::none}}, {{MapOp::load, 0, -1, 0}, {MapOp::add, 0, 0, 0}}}},
               sum);
    build.output(sum);
    const Program program = build.finish();
    constexpr std::int64_t kBatch = 400;
    Matrices A(type(), kBatch, n, n);
    A.fill_random(1);
    gpu::ExecutorOptions options;
    options.threads = 3;
    const auto executor = module_under_test().make_executor(program, options);
    Matrices twice(type(), kBatch, n, n);
    const ConstStrided in[] = {A.input()};
    const Strided out[] = {twice.output()};
    int calls = 0;
    const Parallel parallel = [&calls](int count, const std::function<void(int)>& work) {
        ++calls;
        for (int i = count - 1; i >= 0; --i) {
            work(i);
        }
    };
    HostCall call{kBatch, in, out, {}};
    call.parallel = &parallel;
    (void)executor->run(call, {});
    EXPECT_GE(calls, 2) << "once to the device and once back";
    EXPECT_EQ(twice.get(kBatch - 1, n - 1, 3), 2 * A.get(kBatch - 1, n - 1, 3));
}

}  // namespace
}  // namespace matgrad::test
