#pragma once
/// \file Device arrays, streams and kernels of one line each, for tests of the simulated GPU.

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nvrtc.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

/// Each test begins with a new machine, and nothing it did not expect was reported.
class SimulatedTest : public ::testing::Test {
protected:
    void SetUp() override { reset(); }
    void TearDown() override {
        expect_no_complaints();
        (void)cudaGetLastError();
        EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
    }
    /// One was reported, and it says so.
    static void expect_complaint(const std::string& part) {
        const std::vector<std::string> all = take_complaints();
        ASSERT_EQ(all.size(), 1u) << ::testing::PrintToString(all);
        EXPECT_THAT(all[0], ::testing::HasSubstr(part));
    }
};

template <typename T>
class DeviceArray {
public:
    explicit DeviceArray(std::size_t count) : count_(count) {
        EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)), cudaSuccess);
    }
    explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
        upload(values);
    }
    ~DeviceArray() { (void)cudaFree(data_); }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    [[nodiscard]] T* data() const { return data_; }
    void upload(const std::vector<T>& values) const {
        EXPECT_EQ(
            cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
            cudaSuccess);
    }
    [[nodiscard]] std::vector<T> download() const {
        std::vector<T> values(count_);
        EXPECT_EQ(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost),
                  cudaSuccess);
        return values;
    }
    /// Frees it before its time.
    void free() {
        EXPECT_EQ(cudaFree(data_), cudaSuccess);
        data_ = nullptr;
    }

private:
    T* data_ = nullptr;
    std::size_t count_;
};

template <typename T>
class PinnedArray {
public:
    explicit PinnedArray(std::size_t count) {
        EXPECT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&data_), count * sizeof(T), 0),
                  cudaSuccess);
    }
    ~PinnedArray() { (void)cudaFreeHost(data_); }
    PinnedArray(const PinnedArray&) = delete;
    PinnedArray& operator=(const PinnedArray&) = delete;
    [[nodiscard]] T* data() const { return data_; }
    T& operator[](std::size_t i) const { return data_[i]; }

private:
    T* data_ = nullptr;
};

class TestStream {
public:
    explicit TestStream(unsigned flags = cudaStreamNonBlocking) {
        EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, flags), cudaSuccess);
    }
    ~TestStream() { (void)cudaStreamDestroy(stream_); }
    TestStream(const TestStream&) = delete;
    TestStream& operator=(const TestStream&) = delete;
    operator cudaStream_t() const { return stream_; }  // NOLINT: as the calls take it

private:
    cudaStream_t stream_ = nullptr;
};

class TestEvent {
public:
    explicit TestEvent(unsigned flags = cudaEventDisableTiming) {
        EXPECT_EQ(cudaEventCreateWithFlags(&event_, flags), cudaSuccess);
    }
    ~TestEvent() { (void)cudaEventDestroy(event_); }
    TestEvent(const TestEvent&) = delete;
    TestEvent& operator=(const TestEvent&) = delete;
    operator cudaEvent_t() const { return event_; }  // NOLINT: as the calls take it

private:
    cudaEvent_t event_ = nullptr;
};

/// Compiles a text that follows `#include "device.cuh"` in matgrad::block. Returns NVRTC's answer.
inline nvrtcResult compile_text(const std::string& text, std::string& cubin, std::string& log,
                                std::vector<const char*> options = {"--gpu-architecture=sm_90"}) {
    const std::string whole =
        "#include \"device.cuh\"\nnamespace matgrad::block {\n" + text + "\n}\n";
    const char* header = "";  // the twin takes its place
    const char* name = "device.cuh";
    nvrtcProgram program = nullptr;
    EXPECT_EQ(nvrtcCreateProgram(&program, whole.c_str(), "test.cu", 1, &header, &name),
              NVRTC_SUCCESS);
    const nvrtcResult result =
        nvrtcCompileProgram(program, static_cast<int>(options.size()), options.data());
    std::size_t bytes = 0;
    EXPECT_EQ(nvrtcGetProgramLogSize(program, &bytes), NVRTC_SUCCESS);
    log.resize(bytes);
    EXPECT_EQ(nvrtcGetProgramLog(program, log.data()), NVRTC_SUCCESS);
    if (result == NVRTC_SUCCESS) {
        EXPECT_EQ(nvrtcGetCUBINSize(program, &bytes), NVRTC_SUCCESS);
        cubin.resize(bytes);
        EXPECT_EQ(nvrtcGetCUBIN(program, cubin.data()), NVRTC_SUCCESS);
    }
    EXPECT_EQ(nvrtcDestroyProgram(&program), NVRTC_SUCCESS);
    return result;
}

/// One kernel of a text of its own.
class TestKernel {
public:
    TestKernel(const std::string& text, const char* name) {
        std::string cubin;
        std::string log;
        EXPECT_EQ(compile_text(text, cubin, log), NVRTC_SUCCESS) << log;
        EXPECT_EQ(
            cudaLibraryLoadData(&library_, cubin.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0),
            cudaSuccess);
        EXPECT_EQ(cudaLibraryGetKernel(&kernel_, library_, name), cudaSuccess);
    }
    ~TestKernel() { (void)cudaLibraryUnload(library_); }
    TestKernel(const TestKernel&) = delete;
    TestKernel& operator=(const TestKernel&) = delete;

    template <typename Args>
    [[nodiscard]] cudaError_t launch(unsigned grid, unsigned block, Args args,
                                     cudaStream_t stream = nullptr,
                                     std::size_t dynamic_bytes = 0) const {
        cudaLaunchConfig_t config{};
        config.dynamicSmemBytes = dynamic_bytes;
        config.gridDim = {grid, 1, 1};
        config.blockDim = {block, 1, 1};
        config.stream = stream;
        void* pointer = &args;
        return cudaLaunchKernelExC(&config, kernel_, &pointer);
    }
    [[nodiscard]] const void* handle() const { return kernel_; }

private:
    cudaLibrary_t library_ = nullptr;
    cudaKernel_t kernel_ = nullptr;
};

}  // namespace matgrad::simulated
