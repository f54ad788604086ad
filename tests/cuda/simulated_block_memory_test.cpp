/// Block memory on the simulated GPU: its one array of any size, its limits, what is counted and caught
/// in it, and what the runtime says of it.

#include <cmath>
#include <numeric>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedBlockMemory : public SimulatedTest {};

struct PairArgs {
    const double* from;
    double* to;
    long long n;
};

std::string with_pair_args(const std::string& kernel) {
    return "struct PairArgs { const double* from; double* to; long long n; };\n" + kernel;
}

std::vector<double> count_up(std::size_t n) {
    std::vector<double> numbers(n);
    std::iota(numbers.begin(), numbers.end(), 1.0);
    return numbers;
}

/// A block of 64 threads turns its numbers round, in the last ones of `doubles` in block memory.
std::string turn_round(std::size_t doubles, const std::string& wait = "barrier();") {
    const std::string n = std::to_string(doubles);
    return with_pair_args(
        "MATGRAD_KERNEL(turn, PairArgs, 64) {"
        "  MATGRAD_BLOCK_MEMORY(memory, " +
        n +
        " * 8);"
        "  double* const kept = reinterpret_cast<double*>(memory) + (" +
        n +
        " - 64);"
        "  const long long at = block_index() * 64;"
        "  const int t = thread_index();"
        "  store_shared(kept + t, load(args.from + at + t));" +
        wait +
        "  store(args.to + at + t, load_shared(kept + (63 - t)));"
        "}");
}

cudaError_t allow(const TestKernel& kernel, std::size_t bytes) {
    return cudaFuncSetAttribute(kernel.handle(), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(bytes));
}

TEST_F(SimulatedBlockMemory, IsOfTheBlockAndCounted) {
    const TestKernel kernel(turn_round(100), "turn");
    std::vector<double> expected = count_up(128);
    std::reverse(expected.begin(), expected.begin() + 64);
    std::reverse(expected.begin() + 64, expected.end());
    const DeviceArray<double> from(count_up(128));
    const DeviceArray<double> to(128);
    const PairArgs args{from.data(), to.data(), 0};
    ASSERT_EQ(kernel.launch(2, 64, args, nullptr, 800), cudaSuccess);
    EXPECT_EQ(to.download(), expected);
    const Launch launch = launches()[0];
    EXPECT_EQ(launch.shared_bytes, 800);
    EXPECT_EQ(launch.shared_loads, 128);
    EXPECT_EQ(launch.shared_stores, 128);
    EXPECT_EQ(launch.shared_load_bytes, 1024);
    EXPECT_EQ(launch.shared_store_bytes, 1024);
    EXPECT_EQ(launch.loads, 128);
    EXPECT_EQ(launch.stores, 128);
}

TEST_F(SimulatedBlockMemory, IsPoisonedForEachBlock) {
    const TestKernel kernel(turn_round(64, ""), "turn");
    const DeviceArray<double> from(count_up(128));
    const DeviceArray<double> to(128);
    ASSERT_EQ(kernel.launch(2, 64, PairArgs{from.data(), to.data(), 0}, nullptr, 512), cudaSuccess);
    const std::vector<double> got = to.download();
    // Of each pair of threads that exchange numbers one runs before the other has written.
    EXPECT_EQ(std::count_if(got.begin(), got.end(), [](double x) { return std::isnan(x); }), 64);
}

TEST_F(SimulatedBlockMemory, IsAsLargeAsTheLaunchSays) {
    const TestKernel kernel(turn_round(64), "turn");
    const DeviceArray<double> from(count_up(64));
    const DeviceArray<double> to(64);
    const PairArgs args{from.data(), to.data(), 0};
    for (const std::size_t bytes : {0, 511, 528}) {
        ASSERT_EQ(kernel.launch(1, 64, args, nullptr, bytes), cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        expect_complaint("the kernel has 512 bytes of block memory (memory): the launch gives " +
                         std::to_string(bytes));
    }
    const TestKernel without(with_pair_args("MATGRAD_KERNEL(none, PairArgs, 64) {}"), "none");
    ASSERT_EQ(without.launch(1, 64, args, nullptr, 16), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("the launch gives 16 bytes of block memory to a kernel that has none");
}

TEST_F(SimulatedBlockMemory, IsLargeOnlyWhereTheKernelIsAllowedTo) {
    constexpr std::size_t kMost = 227 << 10;
    const TestKernel kernel(turn_round(kMost / 8), "turn");
    const std::vector<double> numbers = count_up(64);
    const DeviceArray<double> from(numbers);
    const DeviceArray<double> to(64);
    const PairArgs args{from.data(), to.data(), 0};
    EXPECT_EQ(kernel.launch(1, 64, args, nullptr, kMost), cudaErrorInvalidValue);
    ASSERT_EQ(allow(kernel, kMost - 1), cudaSuccess);
    EXPECT_EQ(kernel.launch(1, 64, args, nullptr, kMost), cudaErrorInvalidValue);
    EXPECT_EQ(allow(kernel, kMost + 1), cudaErrorInvalidValue);
    EXPECT_EQ(cudaFuncSetAttribute(&args, cudaFuncAttributeMaxDynamicSharedMemorySize, 1),
              cudaErrorInvalidDeviceFunction);
    ASSERT_EQ(allow(kernel, kMost), cudaSuccess);
    ASSERT_EQ(kernel.launch(1, 64, args, nullptr, kMost), cudaSuccess);
    EXPECT_EQ(to.download(), std::vector<double>(numbers.rbegin(), numbers.rend()));
    cudaFuncAttributes attributes{};
    ASSERT_EQ(cudaFuncGetAttributes(&attributes, kernel.handle()), cudaSuccess);
    EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, static_cast<int>(kMost));
    std::string cubin;
    std::string log;
    EXPECT_EQ(compile_text(turn_round(kMost / 8 + 1), cubin, log), NVRTC_ERROR_COMPILATION);
}

TEST_F(SimulatedBlockMemory, HasLimitsTogetherWithStaticArrays) {
    const auto kernel_of = [](int doubles, int bytes) {
        return with_pair_args(
            "MATGRAD_KERNEL(both, PairArgs, 32) {  MATGRAD_SHARED(double, kept, " +
            std::to_string(doubles) + ");  MATGRAD_BLOCK_MEMORY(memory, " + std::to_string(bytes) +
            ");}");
    };
    struct Case {
        int doubles, bytes;
        bool is_allowed;
        const char* complaint;
    };
    const Case cases[] = {
        {1024, 40 << 10, false, nullptr},
        {1024, (40 << 10) + 16, false, "have 49168 bytes: expected at most 49152"},
        {1024, (40 << 10) + 16, true, nullptr},
        {1024, 219 << 10, true, nullptr},
        {1024, (219 << 10) + 16, true, "have 232464 bytes: expected at most 232448"},
        {6144, 1024, true, nullptr},
        {6145, 1024, true, "shared arrays have 49160 bytes: expected at most 49152"}};
    for (const Case& c : cases) {
        const TestKernel kernel(kernel_of(c.doubles, c.bytes), "both");
        if (c.is_allowed) {
            ASSERT_EQ(allow(kernel, 227 << 10), cudaSuccess);
        }
        ASSERT_EQ(kernel.launch(1, 32, PairArgs{}, nullptr, static_cast<std::size_t>(c.bytes)),
                  cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        EXPECT_EQ(launches().back().shared_bytes, 8 * c.doubles + c.bytes);
        if (c.complaint != nullptr) {
            expect_complaint(c.complaint);
        }
        EXPECT_EQ(take_complaints(), std::vector<std::string>());
    }
}

TEST_F(SimulatedBlockMemory, ThatIsLeftIsReportedAndNotTouched) {
    // kept[args.n] of an array of 32, loaded and stored.
    const auto kernel_of = [](const std::string& array) {
        return with_pair_args("MATGRAD_KERNEL(one, PairArgs, 1) {" + array +
                              "  store_shared(kept + args.n, 1.0f);"
                              "  store(args.to, static_cast<double>(load_shared(kept + args.n)));"
                              "}");
    };
    const std::string arrays[] = {
        "MATGRAD_SHARED(float, kept, 32);",
        "MATGRAD_BLOCK_MEMORY(memory, 128); float* const kept = reinterpret_cast<float*>(memory);"};
    for (std::size_t i = 0; i < 2; ++i) {
        const TestKernel kernel(kernel_of(arrays[i]), "one");
        const DeviceArray<double> to(1);
        const auto run = [&](long long at) {
            ASSERT_EQ(kernel.launch(1, 1, PairArgs{nullptr, to.data(), at}, nullptr, i * 128),
                      cudaSuccess);
            ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        };
        run(31);
        EXPECT_EQ(to.download()[0], 1);
        run(32);
        EXPECT_TRUE(std::isnan(to.download()[0]));
        expect_complaint("thread 0 of block 0 stores 4 bytes past the end of block memory " +
                         std::string(i == 0 ? "kept" : "memory"));
        run(-1);
        expect_complaint("stores 4 bytes outside block memory");
        run(1LL << 30);
        expect_complaint("stores 4 bytes outside block memory");
    }
}

TEST_F(SimulatedBlockMemory, IsNeitherDeviceMemoryNorMisaligned) {
    const auto run = [](const char* body, const char* complaint) {
        const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(one, PairArgs, 1) {"
                                               "  MATGRAD_SHARED(double, kept, 8); kept[0] = 1;" +
                                               std::string(body) + "}"),
                                "one");
        const DeviceArray<double> to(2);
        ASSERT_EQ(kernel.launch(1, 1, PairArgs{to.data(), to.data(), 0}), cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        SimulatedTest::expect_complaint(complaint);
    };
    run("store(args.to, load_shared(args.from));", "loads 8 bytes outside block memory");
    run("store_shared(args.to, 1.0);", "stores 8 bytes outside block memory");
    run("store(args.to, load(kept));", "loads 8 bytes outside all memory");
    run("store(args.to, load_shared(reinterpret_cast<double*>("
        "  reinterpret_cast<char*>(kept) + 4)));",
        "loads 8 bytes misaligned in block memory");
}

/// Past the end by plain accesses, which only the guard shows.
TEST_F(SimulatedBlockMemory, IsGuarded) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(past, PairArgs, 1) {"
                                           "  MATGRAD_BLOCK_MEMORY(memory, 16);"
                                           "  memory[16] = 1;"
                                           "}"),
                            "past");
    ASSERT_EQ(kernel.launch(1, 1, PairArgs{}, nullptr, 16), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("written past the end of the shared array memory");
}

TEST_F(SimulatedBlockMemory, AndThreadsLimitHowManyBlocksAMultiprocessorHas) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(none, PairArgs, 256) {}"), "none");
    ASSERT_EQ(allow(kernel, 227 << 10), cudaSuccess);
    struct Case {
        int threads;
        std::size_t bytes;
        int blocks;
    };
    const Case cases[] = {{32, 0, 32},         {64, 0, 32},         {96, 0, 21},
                          {128, 0, 16},        {256, 0, 8},         {257, 0, 0},
                          {256, 56 << 10, 4},  {256, 57 << 10, 3},  {256, 113 << 10, 2},
                          {256, 114 << 10, 1}, {256, 227 << 10, 1}, {256, 228 << 10, 0}};
    for (const Case& c : cases) {
        int blocks = -1;
        EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel.handle(), c.threads,
                                                                c.bytes),
                  cudaSuccess);
        EXPECT_EQ(blocks, c.blocks) << c.threads << " " << c.bytes;
    }
    int bytes = 0;
    EXPECT_EQ(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0),
              cudaSuccess);
    EXPECT_EQ(bytes, 232448);
    EXPECT_EQ(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerMultiprocessor, 0),
              cudaSuccess);
    EXPECT_EQ(bytes, 233472);
}

}  // namespace
}  // namespace matgrad::simulated
