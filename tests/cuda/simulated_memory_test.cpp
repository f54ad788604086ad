/// Memory of the simulated GPU: limits, attributes, poison and guard zones.

#include <cmath>
#include <cstdint>
#include <cstring>

#include "cuda/simulated_support.hpp"

// Addresses are followed here where AddressSanitizer would stop first.
#if defined(MATGRAD_SANITIZE)
#define MATGRAD_UNCHECKED __attribute__((no_sanitize("address")))
#else
#define MATGRAD_UNCHECKED
#endif

namespace matgrad::simulated {
namespace {

class SimulatedMemory : public SimulatedTest {};

/// Done by a task.
void write_byte(char* at, char value) {
    ASSERT_EQ(
        enqueue(nullptr, "task",
                [at, value]() MATGRAD_UNCHECKED { *static_cast<volatile char*>(at) = value; }),
        cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
}
MATGRAD_UNCHECKED double read_double(const double* at) {
    return *static_cast<const volatile double*>(at);
}

TEST_F(SimulatedMemory, IsAlignedTo256BytesAndNoBetter) {
    for (const std::size_t bytes : {1u, 255u, 256u, 257u, 100000u}) {
        const DeviceArray<char> array(bytes);
        const auto address = reinterpret_cast<std::uintptr_t>(array.data());
        EXPECT_EQ(address % 512, 256u);
    }
}

TEST_F(SimulatedMemory, ThatNobodyWroteReadsAsNaN) {
    const DeviceArray<double> doubles(3);
    for (const double x : doubles.download()) {
        EXPECT_TRUE(std::isnan(x));
    }
    const DeviceArray<float> floats(3);
    for (const float x : floats.download()) {
        EXPECT_TRUE(std::isnan(x));
    }
    const PinnedArray<double> pinned(1);
    EXPECT_TRUE(std::isnan(pinned[0]));
}

TEST_F(SimulatedMemory, ThatWasFreedReadsAsNaNAndIsNotGivenOutAtOnce) {
    DeviceArray<double> array(std::vector<double>{1, 2, 3});
    const double* const before = array.data();
    array.free();
    EXPECT_TRUE(std::isnan(read_double(before)));
    const DeviceArray<double> next(3);
    EXPECT_NE(next.data(), before);
    EXPECT_FALSE(is_device_range(before, 8));
}

TEST_F(SimulatedMemory, ReportsAByteWrittenOnEitherSide) {
    char* data = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&data), 77), cudaSuccess);
    write_byte(data + 77, 1);
    expect_complaint("written 0 bytes past the end of memory of device 0 of 77 bytes");
    write_byte(data - 1, 1);
    expect_complaint("written 1 bytes before the begin");
    write_byte(data + 1000, 1);
    EXPECT_EQ(cudaFree(data), cudaSuccess);
    expect_complaint("written 923 bytes past the end");
    write_byte(data + 5, 1);
    expect_complaint("written at byte 5 of freed memory");
}

TEST_F(SimulatedMemory, OfAStrictMachinesDeviceIsOutOfReachOfTheHost) {
    Machine strict;
    strict.strict = true;
    reset(strict);
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    const DeviceArray<double> array(std::vector<double>{1});
    EXPECT_DEATH((void)read_double(array.data()), "");
    const PinnedArray<double> pinned(1);
    pinned[0] = 1;
    EXPECT_EQ(read_double(pinned.data()), 1);
}

TEST_F(SimulatedMemory, IsFreedOnceByWhatItWasTakenBy) {
    char* data = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&data), 64), cudaSuccess);
    EXPECT_EQ(cudaFreeHost(data), cudaErrorInvalidValue);
    expect_complaint("cudaFreeHost");
    EXPECT_EQ(cudaFree(data + 1), cudaErrorInvalidValue);
    expect_complaint("cudaFree");
    EXPECT_EQ(cudaFree(data), cudaSuccess);
    EXPECT_EQ(cudaFree(data), cudaErrorInvalidValue);
    expect_complaint("cudaFree");
    EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
    EXPECT_EQ(cudaFreeHost(nullptr), cudaSuccess);
}

TEST_F(SimulatedMemory, HasALimitThatTheDeviceReports) {
    reset({1, 1 << 20});
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
    EXPECT_EQ(total_bytes, 1u << 20);
    EXPECT_EQ(free_bytes, (1u << 20) - allocated_bytes(0));
    void* data = nullptr;
    EXPECT_EQ(cudaMalloc(&data, free_bytes + 1), cudaErrorMemoryAllocation);
    EXPECT_EQ(data, nullptr);
    EXPECT_EQ(cudaMalloc(&data, SIZE_MAX), cudaErrorMemoryAllocation);
    EXPECT_EQ(cudaMalloc(&data, free_bytes), cudaSuccess);
    ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
    EXPECT_EQ(free_bytes, 0u);
    EXPECT_EQ(peak_bytes(0), 1u << 20);
    EXPECT_EQ(cudaFree(data), cudaSuccess);
}

TEST_F(SimulatedMemory, OfEachDeviceIsToldApart) {
    reset({2});
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    const DeviceArray<double> array(4);
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    const PinnedArray<double> pinned(4);
    double pageable = 0;
    cudaPointerAttributes attributes{};
    ASSERT_EQ(cudaPointerGetAttributes(&attributes, array.data() + 3), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
    EXPECT_EQ(attributes.device, 1);
    EXPECT_EQ(attributes.hostPointer, nullptr);
    ASSERT_EQ(cudaPointerGetAttributes(&attributes, pinned.data()), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
    EXPECT_EQ(attributes.hostPointer, pinned.data());
    ASSERT_EQ(cudaPointerGetAttributes(&attributes, &pageable), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
    EXPECT_TRUE(is_device_range(array.data(), 32, 1));
    EXPECT_FALSE(is_device_range(array.data(), 32, 0));
    EXPECT_FALSE(is_device_range(array.data(), 33, 1));
    EXPECT_FALSE(is_device_range(pinned.data(), 8));
    EXPECT_TRUE(is_device_range(nullptr, 0, 0));
}

TEST_F(SimulatedMemory, IsCopiedOnlyInsideWhatIsAllocatedAndInTheDirectionNamed) {
    const DeviceArray<double> array(4);
    double host[8] = {};
    EXPECT_EQ(cudaMemcpy(array.data(), host, 40, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    expect_complaint("past the end");
    EXPECT_EQ(cudaMemcpy(nullptr, host, 8, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    expect_complaint("null");
    EXPECT_EQ(cudaMemcpy(array.data(), host, 8, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemcpy(array.data(), host, 8, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemcpy(array.data(), array.data() + 1, 16, cudaMemcpyDefault),
              cudaErrorInvalidValue);
    expect_complaint("overlap");
    EXPECT_EQ(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDefault), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(array.data(), host, 32, cudaMemcpyDefault), cudaSuccess);
    EXPECT_EQ(array.download(), std::vector<double>(4, 0.0));
    EXPECT_EQ(cudaMemsetAsync(array.data(), 0, 33, nullptr), cudaErrorInvalidValue);
    expect_complaint("past the end");
}

TEST_F(SimulatedMemory, ThatIsFreedBeforeACopyRanIsReported) {
    set_schedule({1, 0});
    const TestStream stream;
    const DeviceArray<double> to(4);
    DeviceArray<double> from(std::vector<double>(4, 1.0));
    ASSERT_EQ(cudaMemcpyAsync(to.data(), from.data(), 32, cudaMemcpyDefault, stream), cudaSuccess);
    from.free();
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    expect_complaint("the source was freed before the copy ran");
    DeviceArray<double> filled(4);
    ASSERT_EQ(cudaMemsetAsync(filled.data(), 0, 32, stream), cudaSuccess);
    filled.free();
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    expect_complaint("the target was freed before the fill ran");
}

TEST_F(SimulatedMemory, ThatIsFreedBeforeAKernelRanIsReported) {
    set_schedule({1, 0});
    const TestKernel kernel(
        "struct Args { double* x; };"
        "MATGRAD_KERNEL(one, Args, 1) { store(args.x, load(args.x) + 1); }",
        "one");
    DeviceArray<double> array(std::vector<double>{1});
    ASSERT_EQ(kernel.launch(1, 1, array.data()), cudaSuccess);
    array.free();
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("kernel one: thread 0 of block 0 loads 8 bytes in freed memory");
}

std::uint64_t pool_bytes(cudaMemPool_t pool, cudaMemPoolAttr attribute) {
    std::uint64_t bytes = 0;
    EXPECT_EQ(cudaMemPoolGetAttribute(pool, attribute, &bytes), cudaSuccess);
    return bytes;
}

TEST_F(SimulatedMemory, OfAPoolIsGivenBackWhenTheStreamGetsThere) {
    set_schedule({1, 0});
    const TestStream stream;
    cudaMemPool_t pool = nullptr;
    ASSERT_EQ(cudaDeviceGetDefaultMemPool(&pool, 0), cudaSuccess);
    const std::size_t before = allocated_bytes(0);
    void* data = nullptr;
    ASSERT_EQ(cudaMallocAsync(&data, 1000, stream), cudaSuccess);
    ASSERT_EQ(cudaMemsetAsync(data, 0, 1000, stream), cudaSuccess);
    ASSERT_EQ(cudaFreeAsync(data, stream), cudaSuccess);
    EXPECT_EQ(pool_bytes(pool, cudaMemPoolAttrUsedMemCurrent), 1000u);
    EXPECT_GT(allocated_bytes(0), before);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(pool_bytes(pool, cudaMemPoolAttrUsedMemCurrent), 0u);
    EXPECT_EQ(allocated_bytes(0), before);
    for (const auto high : {cudaMemPoolAttrUsedMemHigh, cudaMemPoolAttrReservedMemHigh}) {
        EXPECT_EQ(pool_bytes(pool, high), 1000u);
        std::uint64_t value = 1;
        EXPECT_EQ(cudaMemPoolSetAttribute(pool, high, &value), cudaErrorInvalidValue);
        value = 0;
        EXPECT_EQ(cudaMemPoolSetAttribute(pool, high, &value), cudaSuccess);
        EXPECT_EQ(pool_bytes(pool, high), 0u);
    }
}

TEST_F(SimulatedMemory, OfAPoolIsNotPutIntoGraphs) {
    const TestStream stream;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    void* data = nullptr;
    EXPECT_EQ(cudaMallocAsync(&data, 8, stream), cudaErrorStreamCaptureUnsupported);
    expect_complaint("cudaMallocAsync: the simulation has no memory in graphs");
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
}

}  // namespace
}  // namespace matgrad::simulated
