/// Failures that are asked for, and machines without a device or a driver.

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedFailure : public SimulatedTest {};

TEST_F(SimulatedFailure, OfTheNthAllocationLeavesTheOthersAlone) {
    fail_call("cudaMalloc", 2, cudaErrorMemoryAllocation);
    void* data[3] = {};
    EXPECT_EQ(cudaMalloc(&data[0], 8), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&data[1], 8), cudaErrorMemoryAllocation);
    EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
    EXPECT_EQ(data[1], nullptr);
    EXPECT_EQ(cudaMalloc(&data[2], 8), cudaSuccess);
    EXPECT_EQ(calls("cudaMalloc"), 3);
    EXPECT_EQ(cudaFree(data[0]), cudaSuccess);
    EXPECT_EQ(cudaFree(data[2]), cudaSuccess);
}

TEST_F(SimulatedFailure, OfALaunchForWantOfResourcesIsToldAtOnceAndPasses) {
    const TestKernel kernel("MATGRAD_KERNEL(none, int, 1) {}", "none");
    fail_call("cudaLaunchKernelExC", 2, cudaErrorLaunchOutOfResources);
    EXPECT_EQ(kernel.launch(1, 1, 0), cudaSuccess);
    EXPECT_EQ(kernel.launch(1, 1, 0), cudaErrorLaunchOutOfResources);
    EXPECT_EQ(kernel.launch(1, 1, 0), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(launches().size(), 2u);
}

TEST_F(SimulatedFailure, OfARunningKernelShowsLaterAndBreaksItsDevice) {
    reset({2}, {1, 0});
    const TestKernel kernel("MATGRAD_KERNEL(none, int, 1) {}", "none");
    const TestStream stream;
    bool ran = false;
    fail_call("cudaLaunchKernelExC", 1, cudaErrorLaunchFailure);
    EXPECT_EQ(kernel.launch(1, 1, 0, stream), cudaSuccess);
    EXPECT_EQ(enqueue(stream, "task", [&ran] { ran = true; }), cudaSuccess);
    EXPECT_FALSE(is_broken(0));
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorLaunchFailure);
    EXPECT_TRUE(is_broken(0));
    EXPECT_FALSE(ran);
    EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
    EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
    void* data = nullptr;
    EXPECT_EQ(cudaMalloc(&data, 8), cudaErrorLaunchFailure);
    EXPECT_EQ(kernel.launch(1, 1, 0, stream), cudaErrorLaunchFailure);
    // The other device goes on.
    EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&data, 8), cudaSuccess);
    EXPECT_EQ(cudaFree(data), cudaSuccess);
    EXPECT_EQ(cudaSetDevice(0), cudaErrorLaunchFailure);
    reset();
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&data, 8), cudaSuccess);
    EXPECT_EQ(cudaFree(data), cudaSuccess);
}

TEST_F(SimulatedFailure, OfALibraryIsAskedForByTheBeginOfItsName) {
    fail_call("cublas", 2, 13);
    EXPECT_EQ(injected_failure("cublasCreate_v2"), std::nullopt);
    EXPECT_EQ(injected_failure("cusolverDnCreate"), std::nullopt);
    EXPECT_EQ(injected_failure("cublasDgemm"), 13);
    EXPECT_EQ(injected_failure("cublasDgemm"), std::nullopt);
    EXPECT_EQ(calls("cublas"), 3);
    EXPECT_EQ(calls("cublasDgemm"), 2);
}

TEST_F(SimulatedFailure, OfTheCompilerCanBeAskedFor) {
    std::string cubin;
    std::string log;
    fail_call("nvrtcCompileProgram", 1, NVRTC_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(compile_text("", cubin, log), NVRTC_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(compile_text("", cubin, log), NVRTC_SUCCESS);
}

TEST_F(SimulatedFailure, OfAMachineWithoutDeviceOrDriverHasTheCodesOfTheRuntime) {
    int count = -1;
    int version = -1;
    void* data = nullptr;
    reset({0});
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(cudaMalloc(&data, 8), cudaErrorNoDevice);
    reset({1, 1 << 20, 0});
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
    EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
    EXPECT_EQ(version, 0);
    EXPECT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
    EXPECT_EQ(version, CUDART_VERSION);
    EXPECT_EQ(cudaSetDevice(0), cudaErrorInsufficientDriver);
    reset({2});
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
    EXPECT_EQ(count, 2);
    EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
    EXPECT_EQ(cudaSetDevice(-1), cudaErrorInvalidDevice);
    EXPECT_STREQ(cudaGetErrorName(cudaErrorInvalidDevice), "cudaErrorInvalidDevice");
}

TEST_F(SimulatedFailure, OfArgumentsIsAnAnswerAndNoCrash) {
    EXPECT_EQ(cudaMalloc(nullptr, 8), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetDevice(nullptr), cudaErrorInvalidValue);
    EXPECT_EQ(cudaStreamCreateWithFlags(nullptr, 0), cudaErrorInvalidValue);
    cudaStream_t stream = nullptr;
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, 0x40), cudaErrorInvalidValue);
    cudaEvent_t event = nullptr;
    EXPECT_EQ(cudaEventCreateWithFlags(&event, 0x80), cudaErrorInvalidValue);
    cudaDeviceProp properties{};
    EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
    int value = 0;
    EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
    EXPECT_EQ(value, 9);
    EXPECT_EQ(cudaEventRecord(nullptr, nullptr), cudaErrorInvalidResourceHandle);
    expect_complaint("no such event");
}

}  // namespace
}  // namespace matgrad::simulated
