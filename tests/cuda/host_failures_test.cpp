/// Host batches on a simulated GPU whose memory or calls fail.

#include <gtest/gtest.h>

#include <algorithm>

#include "cuda/checked.hpp"
#include "cuda/host_run.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

class HostFailures : public testing::Test {
protected:
    HostFailures() { HostRun(pipeline_.program, {})(data_, want_); }
    ~HostFailures() override {
        simulated::expect_no_complaints();
        simulated::reset();
    }
    static constexpr std::int64_t kBatch = 1500;
    Pipeline pipeline_{ScalarType::float64, 6, 5, true};
    PipelineData data_{pipeline_, kBatch};
    HostResults want_{pipeline_, kBatch};
};

TEST_F(HostFailures, TakeNoMoreDeviceMemoryThanTheyMay) {
    HostRun run = small_run(pipeline_);
    simulated::reset();
    const std::size_t before = simulated::allocated_bytes(0);
    HostResults got(pipeline_, kBatch);
    run(data_, got);
    EXPECT_LE(simulated::peak_bytes(0) - before, run.device_memory());
    EXPECT_GT(simulated::peak_bytes(0) - before, run.device_memory() / 2);
    got.expect_like(want_);
}

TEST_F(HostFailures, OfMemoryAreMetBySmallerChunks) {
    for (const char* call : {"cudaMalloc", "cudaHostAlloc"}) {
        for (const int failures : {1, 3}) {
            SCOPED_TRACE(testing::Message() << failures << " times " << call);
            HostRun run(pipeline_.program, {});
            simulated::reset();
            for (int nth = 1; nth <= failures; ++nth) {
                simulated::fail_call(call, nth, cudaErrorMemoryAllocation);
            }
            HostResults got(pipeline_, kBatch);
            EXPECT_EQ(run(data_, got).failed, 0);
            EXPECT_GT(simulated::calls(call), failures);
            EXPECT_GT(run.reports().size(), 2U);
            got.expect_like(want_);
        }
    }
}

TEST_F(HostFailures, OfADeviceThatIsFullAreMetTheSame) {
    HostRun run = small_run(pipeline_);
    simulated::Machine machine;
    machine.device_memory = simulated::allocated_bytes(0) + run.device_memory();
    run.take_at_most(0);  // what is free
    simulated::reset(machine);
    HostResults got(pipeline_, kBatch);
    run(data_, got);
    got.expect_like(want_);
    EXPECT_GT(run.reports().size(), 3U);
}

TEST_F(HostFailures, OfADeviceWithoutRoomForOneProblemEndInClearWords) {
    HostRun run = small_run(pipeline_);
    simulated::Machine machine;
    machine.device_memory = simulated::allocated_bytes(0) + run.workspace_bytes() / 2;
    run.take_at_most(0);
    simulated::reset(machine);
    HostResults got(pipeline_, kBatch);
    try {
        run(data_, got);
        ADD_FAILURE() << "had room after all";
    } catch (const MachineError& error) {
        EXPECT_NE(std::string(error.what()).find("too little memory"), std::string::npos)
            << error.what();
    }
    simulated::reset();
    run(data_, got);
    got.expect_like(want_);
}

/// A way of the executor, and a call that it makes.
class HostCallFailures : public HostFailures,
                         public testing::WithParamInterface<std::tuple<GpuExecutor, const char*>> {
};
INSTANTIATE_TEST_SUITE_P(
    Library, HostCallFailures,
    testing::Combine(testing::Values(GpuExecutor::library),
                     testing::Values("cudaMemcpyAsync", "cudaEventRecord", "cudaStreamWaitEvent",
                                     "cudaEventSynchronize", "cublas", "cudaLaunchKernelExC")));
INSTANTIATE_TEST_SUITE_P(Fused, HostCallFailures,
                         testing::Combine(testing::Values(GpuExecutor::fused),
                                          testing::Values("cudaLaunchKernelExC")));

TEST_P(HostCallFailures, EndTheRunAndTheNextOneWorks) {
    HostRun run = small_run(pipeline_, false, false, std::get<0>(GetParam()));
    const char* const call = std::get<1>(GetParam());
    HostResults first(pipeline_, kBatch);  // which makes handles and buffers
    run(data_, first);
    simulated::reset();
    HostResults counted(pipeline_, kBatch);
    run(data_, counted);
    const std::int64_t calls = simulated::calls(call);
    ASSERT_GT(calls, 0) << call;
    for (const std::int64_t nth : {std::int64_t{1}, calls / 2 + 1, calls}) {
        SCOPED_TRACE(testing::Message() << call << " " << nth << " of " << calls);
        const bool blas = std::string(call) == "cublas";
        simulated::fail_call(call, static_cast<int>(nth),
                             blas ? static_cast<int>(CUBLAS_STATUS_EXECUTION_FAILED)
                                  : static_cast<int>(cudaErrorInvalidValue));
        HostResults got(pipeline_, kBatch);
        try {
            run(data_, got);
            ADD_FAILURE() << "was not noticed";
        } catch (const gpu::CudaError& error) {
            const std::string message = error.what();
            EXPECT_NE(message.find(call), std::string::npos) << message;
            EXPECT_NE(
                message.find(blas ? "CUBLAS_STATUS_EXECUTION_FAILED" : "cudaErrorInvalidValue"),
                std::string::npos)
                << message;
        }
        HostResults again(pipeline_, kBatch);
        run(data_, again);
        again.expect_like(want_);
    }
}

TEST_F(HostFailures, OfOneOfTwoDevicesEndTheRun) {
    simulated::Machine machine;
    machine.devices = 2;
    simulated::reset(machine);
    struct Way {
        GpuExecutor executor;
        const char* call;
        int nth;
        int code;
    };
    const Way ways[] = {{GpuExecutor::library, "cublas", 40, CUBLAS_STATUS_EXECUTION_FAILED},
                        {GpuExecutor::fused, "cudaLaunchKernelExC", 12, cudaErrorInvalidValue}};
    for (const Way& way : ways) {
        HostRun run = small_run(pipeline_, false, true, way.executor);
        HostResults got(pipeline_, kBatch);
        run(data_, got);
        EXPECT_GT(simulated::peak_bytes(1), 0U);
        simulated::fail_call(way.call, way.nth, way.code);
        HostResults broken(pipeline_, kBatch);
        EXPECT_THROW(run(data_, broken), gpu::CudaError);
        HostResults again(pipeline_, kBatch);
        run(data_, again);
        again.expect_like(want_);
    }
}

TEST_F(HostFailures, GiveEverythingBack) {
    simulated::reset();
    const std::size_t device = simulated::allocated_bytes(0);
    const std::size_t pinned = simulated::pinned_bytes();
    for (const int failing : {0, 1}) {
        HostRun run = small_run(pipeline_);
        HostResults got(pipeline_, kBatch);
        if (failing == 1) {
            simulated::fail_call("cudaMemcpyAsync", 9, cudaErrorInvalidValue);
            EXPECT_THROW(run(data_, got), gpu::CudaError);
        } else {
            run(data_, got);
        }
    }
    EXPECT_EQ(simulated::allocated_bytes(0), device);
    EXPECT_EQ(simulated::pinned_bytes(), pinned);
}

TEST_F(HostFailures, KeepNothingAfterARelease) {
    HostRun run = small_run(pipeline_);
    simulated::reset();
    const std::size_t device = simulated::allocated_bytes(0);
    const std::size_t pinned = simulated::pinned_bytes();
    HostResults got(pipeline_, kBatch);
    run(data_, got);
    EXPECT_GT(simulated::allocated_bytes(0), device);
    EXPECT_GT(simulated::pinned_bytes(), pinned);
    run.release();
    EXPECT_EQ(simulated::allocated_bytes(0), device);
    EXPECT_EQ(simulated::pinned_bytes(), pinned);
    run(data_, got);
    got.expect_like(want_);
}

/// What was added to results already would be added again.
TEST_F(HostFailures, OfMemoryAreNotTriedAgainWhereSomethingWasAdded) {
    for (const bool adds : {false, true}) {
        HostRun run = small_run(pipeline_);
        HostResults got(pipeline_, kBatch);
        for (Matrices* matrices : got.all()) {
            matrices->fill_random(1);
        }
        if (adds) {
            run.add_to(1);
        }
        simulated::reset();
        simulated::fail_call("cudaMalloc", 1, cudaErrorMemoryAllocation);
        run(data_, got);  // nothing was added yet
        simulated::reset();
        simulated::fail_call("cudaEventSynchronize", 4, cudaErrorMemoryAllocation);
        if (adds) {
            EXPECT_THROW(run(data_, got), MachineError);
        } else {
            run(data_, got);
            got.expect_like(want_);
        }
    }
}

TEST_F(HostFailures, AnyOrderOfWhatRunsWhenGivesTheSameResults) {
    HostRun run = small_run(pipeline_);
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        simulated::set_schedule({seed, static_cast<double>(seed % 3) / 2});
        HostResults got(pipeline_, kBatch);
        run(data_, got);
        got.expect_like(want_);
    }
    simulated::set_schedule({});
}

}  // namespace
}  // namespace matgrad::test
