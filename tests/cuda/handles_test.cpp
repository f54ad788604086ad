/// Handles of the libraries: made when first needed, kept by stream, never moved while they are at work.

#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "cuda/context.hpp"
#include "cuda/device_memory.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

class Handles : public testing::Test {
protected:
    void SetUp() override { simulated::reset({}, {1, 0}); }
    void TearDown() override { simulated::expect_no_complaints(); }

    static gpu::CallStream call_on(const TestStream& stream) {
        gpu::CallStream call{stream.get()};
        MATGRAD_MUST(cudaStreamGetId(stream.get(), &call.number));
        return call;
    }
    [[nodiscard]] gpu::Lease lease_on(const TestStream& stream) {
        return {pools_, call_on(stream), workspace_.data()};
    }
    /// Something on the stream that is not done before somebody waits.
    void occupy(const TestStream& stream) { workspace_.fill_with_nan(stream.get()); }

    DeviceBuffer workspace_{gpu::Lease::kBlasWorkspaceBytes};
    gpu::HandlePools pools_;
};

TEST_F(Handles, AreMadeWhenFirstAskedFor) {
    const TestStream stream;
    {
        gpu::Lease lease = lease_on(stream);
        EXPECT_EQ(simulated::calls("cublasCreate") + simulated::calls("cusolverDnCreate"), 0);
        EXPECT_NE(lease.blas(), nullptr);
        EXPECT_EQ(lease.blas(), lease.blas());
    }
    EXPECT_EQ(simulated::calls("cublasCreate"), 1);
    EXPECT_EQ(simulated::calls("cusolverDnCreate"), 0);
    {
        gpu::Lease lease = lease_on(stream);
        EXPECT_NE(lease.solver(), nullptr);
    }
    EXPECT_EQ(simulated::calls("cublasCreate"), 1);
    EXPECT_EQ(pools_.blas.count(), 1U);
    EXPECT_EQ(pools_.solver.count(), 1U);
    stream.wait();
}

TEST_F(Handles, StayWithTheirStream) {
    const TestStream first;
    const TestStream second;
    cusolverDnHandle_t of_first = nullptr;
    cusolverDnHandle_t of_second = nullptr;
    {
        occupy(first);
        gpu::Lease lease = lease_on(first);
        of_first = lease.solver();
    }
    {
        occupy(second);
        gpu::Lease lease = lease_on(second);
        of_second = lease.solver();
        EXPECT_NE(of_second, of_first) << "the first stream is still at work with it";
    }
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(lease_on(first).solver(), of_first);
        EXPECT_EQ(lease_on(second).solver(), of_second);
    }
    first.wait();
    second.wait();
    const TestStream third;  // idle handles go to whoever comes
    EXPECT_EQ(pools_.solver.count(), 2U);
    { (void)lease_on(third).solver(); }
    EXPECT_EQ(pools_.solver.count(), 2U);
    third.wait();
}

TEST_F(Handles, OfABusyStreamGoToAnotherOnlyBehindItsWork) {
    constexpr std::size_t kKept = 4;
    std::vector<std::unique_ptr<TestStream>> streams;
    std::vector<std::unique_ptr<gpu::Lease>> leases;
    for (std::size_t i = 0; i < kKept; ++i) {
        streams.push_back(std::make_unique<TestStream>());
        leases.push_back(
            std::make_unique<gpu::Lease>(pools_, call_on(*streams[i]), workspace_.data()));
        (void)leases[i]->solver();
    }
    const cusolverDnHandle_t first = leases[0]->solver();
    for (std::size_t i = 0; i < kKept; ++i) {
        occupy(*streams[i]);
        leases[i].reset();
    }
    const TestStream another;
    // There are enough: the one that was free longest is handed on, behind an event.
    EXPECT_EQ(lease_on(another).solver(), first);
    EXPECT_EQ(simulated::calls("cudaStreamWaitEvent"), 1);
    EXPECT_EQ(pools_.solver.count(), kKept);
    another.wait();
    for (const auto& stream : streams) {
        stream->wait();
    }
}

TEST_F(Handles, AreEnoughForAnyNumberOfCallsInEitherOrderAtOnce) {
    // Half of the calls ask for cuBLAS first, half for cuSOLVER; all hold what they have.
    constexpr int kCalls = 32;
    std::vector<std::unique_ptr<TestStream>> streams;
    for (int i = 0; i < kCalls; ++i) {
        streams.push_back(std::make_unique<TestStream>());
    }
    std::barrier together(kCalls);
    std::vector<std::thread> threads;
    for (int i = 0; i < kCalls; ++i) {
        threads.emplace_back([&, i] {
            gpu::Lease lease = lease_on(*streams[static_cast<std::size_t>(i)]);
            (void)(i % 2 == 0 ? static_cast<void*>(lease.blas()) : lease.solver());
            together.arrive_and_wait();
            EXPECT_NE(lease.blas(), nullptr);
            EXPECT_NE(lease.solver(), nullptr);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_GE(pools_.blas.count(), static_cast<std::size_t>(kCalls / 2));
    EXPECT_LE(pools_.blas.count(), static_cast<std::size_t>(kCalls));
    for (const auto& stream : streams) {
        stream->wait();
    }
}

TEST_F(Handles, OfAQuestionWaitForNothingAndStayWithTheirStream) {
    const TestStream stream;
    cusolverDnHandle_t handle = nullptr;
    {
        occupy(stream);
        gpu::Lease lease = lease_on(stream);
        handle = lease.solver();
    }
    auto& entry = pools_.solver.take_for_question();
    EXPECT_EQ(entry.handles.solver.get(), handle);
    pools_.solver.give_back(entry);
    EXPECT_EQ(simulated::calls("cudaStreamWaitEvent"), 0);
    const std::int64_t bound = simulated::calls("cusolverDnSetStream");
    EXPECT_EQ(lease_on(stream).solver(), handle);
    EXPECT_EQ(simulated::calls("cusolverDnSetStream"), bound);  // it still is
    stream.wait();
}

TEST_F(Handles, OfCuBlasServeAnyStreamSinceTheirWorkspaceIsTheCalls) {
    const TestStream first;
    const TestStream second;
    occupy(first);
    cublasHandle_t of_first = nullptr;
    {
        gpu::Lease lease = lease_on(first);
        of_first = lease.blas();
    }
    EXPECT_EQ(lease_on(second).blas(), of_first);
    EXPECT_EQ(pools_.blas.count(), 1U);
    first.wait();
}

TEST_F(Handles, AreMadeInsideACaptureOfAnyMode) {
    for (const auto mode : {cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal,
                            cudaStreamCaptureModeRelaxed}) {
        gpu::HandlePools pools;
        const TestStream stream;
        const gpu::CallStream call = call_on(stream);
        cudaGraph_t graph = nullptr;
        MATGRAD_MUST(cudaStreamBeginCapture(stream.get(), mode));
        { (void)gpu::Lease(pools, call, workspace_.data()).blas(); }
        MATGRAD_MUST(cudaStreamEndCapture(stream.get(), &graph));
        MATGRAD_MUST(cudaGraphDestroy(graph));
        EXPECT_EQ(pools.blas.count(), 1U);
    }
}

TEST_F(Handles, ThatCannotBeMadeAreAnErrorAndNothingIsLost) {
    const TestStream stream;
    simulated::fail_call("cublasCreate", 1, CUBLAS_STATUS_ALLOC_FAILED);
    try {
        (void)lease_on(stream).blas();
        FAIL();
    } catch (const gpu::CudaError& error) {
        EXPECT_TRUE(error.out_of_memory());
    }
    EXPECT_EQ(pools_.blas.count(), 0U);
    EXPECT_NE(lease_on(stream).blas(), nullptr);
}

}  // namespace
}  // namespace matgrad::test
