/// Kernels on the simulated GPU: compiled, launched, counted, and caught at what hardware may not show.

#include <cmath>
#include <numeric>
#include <set>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

using ::testing::HasSubstr;

class SimulatedKernel : public SimulatedTest {};

struct PairArgs {
    const double* from;
    double* to;
    long long n;
};

constexpr const char* kPairArgs =
    "struct PairArgs { const double* from; double* to; long long n; };";

std::string with_pair_args(const std::string& kernel) {
    return kPairArgs + kernel;
}

/// Every block turns round its 64 numbers, through shared memory.
std::string turn_round(const std::string& between) {
    return with_pair_args(
        "MATGRAD_KERNEL(turn, PairArgs, 64) {"
        "  MATGRAD_SHARED(double, kept, 64);"
        "  const long long at = block_index() * 64;"
        "  const int t = thread_index();"
        "  kept[t] = load(args.from + at + t);" +
        between +
        "  store(args.to + at + t, kept[63 - t]);"
        "}");
}

std::vector<double> count_up(std::size_t n) {
    std::vector<double> numbers(n);
    std::iota(numbers.begin(), numbers.end(), 1.0);
    return numbers;
}

TEST_F(SimulatedKernel, RunsEveryThreadOfEveryBlockAndCountsItsAccesses) {
    const TestKernel kernel(
        with_pair_args(
            "MATGRAD_KERNEL(reverse, PairArgs, 64) {"
            "  const long long i = block_index() * block_size() + thread_index();"
            "  if (i < args.n) { store(args.to + (args.n - 1 - i), load(args.from + i)); }"
            "}"),
        "reverse");
    const std::vector<double> numbers = count_up(1000);
    const DeviceArray<double> from(numbers);
    const DeviceArray<double> to(1000);
    ASSERT_EQ(kernel.launch(16, 64, PairArgs{from.data(), to.data(), 1000}), cudaSuccess);
    EXPECT_EQ(to.download(), std::vector<double>(numbers.rbegin(), numbers.rend()));
    ASSERT_EQ(launches().size(), 1u);
    const Launch launch = launches()[0];
    EXPECT_EQ(launch.kernel, "reverse");
    EXPECT_EQ(launch.grid, 16u);
    EXPECT_EQ(launch.block, 64u);
    EXPECT_EQ(launch.loads, 1000);
    EXPECT_EQ(launch.stores, 1000);
    EXPECT_EQ(launch.load_bytes, 8000);
    EXPECT_EQ(launch.store_bytes, 8000);
    EXPECT_EQ(launch.barriers, 0);
    EXPECT_EQ(launch.shared_bytes, 0);
}

TEST_F(SimulatedKernel, WithItsBarrierIsRightInEveryOrderOfThreads) {
    const TestKernel kernel(turn_round("barrier();"), "turn");
    const std::vector<double> numbers = count_up(128);
    std::vector<double> expected = count_up(128);
    std::reverse(expected.begin(), expected.begin() + 64);
    std::reverse(expected.begin() + 64, expected.end());
    const DeviceArray<double> from(numbers);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(128);
        ASSERT_EQ(kernel.launch(2, 64, PairArgs{from.data(), to.data(), 128}), cudaSuccess);
        EXPECT_EQ(to.download(), expected) << "seed " << seed;
    }
    EXPECT_EQ(launches()[0].barriers, 2);
    EXPECT_EQ(launches()[0].shared_bytes, 64 * 8);
}

TEST_F(SimulatedKernel, WithoutItsBarrierReadsPoisonInEveryOrderOfThreads) {
    const TestKernel kernel(turn_round(""), "turn");
    const DeviceArray<double> from(count_up(64));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(64);
        ASSERT_EQ(kernel.launch(1, 64, PairArgs{from.data(), to.data(), 64}), cudaSuccess);
        const std::vector<double> result = to.download();
        // Of each pair of threads that exchange numbers one runs before the other has written.
        const auto wrong =
            std::count_if(result.begin(), result.end(), [](double x) { return std::isnan(x); });
        EXPECT_EQ(wrong, 32) << "seed " << seed;
    }
}

TEST_F(SimulatedKernel, ThatReusesSharedMemoryTooEarlyIsWrong) {
    const std::string head =
        "MATGRAD_KERNEL(twice, PairArgs, 64) {"
        "  MATGRAD_SHARED(double, kept, 64);"
        "  const int t = thread_index();"
        "  kept[t] = load(args.from + t);"
        "  barrier();"
        "  const double other = kept[63 - t];";
    const std::string tail =
        "  kept[t] = 2 * other;"
        "  barrier();"
        "  store(args.to + t, kept[63 - t]);"
        "}";
    const std::vector<double> numbers = count_up(64);
    std::vector<double> expected(numbers.size());
    std::transform(numbers.begin(), numbers.end(), expected.begin(),
                   [](double x) { return 2 * x; });
    const DeviceArray<double> from(numbers);
    for (const bool right : {true, false}) {
        const TestKernel kernel(with_pair_args(head + (right ? "barrier();" : "") + tail), "twice");
        const DeviceArray<double> to(64);
        ASSERT_EQ(kernel.launch(1, 64, PairArgs{from.data(), to.data(), 64}), cudaSuccess);
        EXPECT_EQ(to.download() == expected, right);
    }
}

TEST_F(SimulatedKernel, WhoseBarrierNotAllThreadsReachIsReported) {
    const char* const conditions[] = {"thread_index() < 32", "thread_index() != 5",
                                      "thread_index() == 5"};
    const DeviceArray<double> from(count_up(64));
    const DeviceArray<double> to(64);
    for (const std::string condition : conditions) {
        const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(part, PairArgs, 64) {"
                                               "  if (" +
                                               condition +
                                               ") { barrier(); }"
                                               "  store(args.to + thread_index(), 1.0);"
                                               "}"),
                                "part");
        ASSERT_EQ(kernel.launch(1, 64, PairArgs{from.data(), to.data(), 64}), cudaSuccess);
        EXPECT_EQ(to.download(), std::vector<double>(64, 1.0));
        expect_complaint("barrier");
    }
}

TEST_F(SimulatedKernel, WhoseThreadsWaitAtDifferentBarriersIsReported) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(two, PairArgs, 64) {\n"
                                           "  if (thread_index() % 2 == 0) { barrier(); }\n"
                                           "  else { barrier(); }\n"
                                           "}"),
                            "two");
    ASSERT_EQ(kernel.launch(1, 64, PairArgs{nullptr, nullptr, 0}), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("different barriers");
}

TEST_F(SimulatedKernel, ThatStoresOrLoadsPastTheEndIsReportedAndStoresNothing) {
    const DeviceArray<double> from(count_up(8));
    const DeviceArray<double> to(std::vector<double>(8, 0.0));
    const TestKernel store_one(with_pair_args("MATGRAD_KERNEL(one, PairArgs, 32) {"
                                              "  if (thread_index() == 0) {"
                                              "    store(args.to + args.n, load(args.from)); }"
                                              "}"),
                               "one");
    for (const long long at : {8LL, -1LL, 1000LL, 1LL << 40}) {
        ASSERT_EQ(store_one.launch(1, 32, PairArgs{from.data(), to.data(), at}), cudaSuccess);
        EXPECT_EQ(to.download(), std::vector<double>(8, 0.0));
        expect_complaint("stores 8 bytes");
    }
    const TestKernel load_one(with_pair_args("MATGRAD_KERNEL(one, PairArgs, 32) {"
                                             "  if (thread_index() == 0) {"
                                             "    store(args.to, load(args.from + args.n)); }"
                                             "}"),
                              "one");
    ASSERT_EQ(load_one.launch(1, 32, PairArgs{from.data(), to.data(), 8}), cudaSuccess);
    EXPECT_TRUE(std::isnan(to.download()[0]));
    expect_complaint("loads 8 bytes outside all memory");
}

TEST_F(SimulatedKernel, MayNotTouchHostMemoryNorMemoryOfAnotherDevice) {
    reset({2});
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(one, PairArgs, 1) {"
                                           "  store(args.to, load(args.from)); }"),
                            "one");
    const DeviceArray<double> here(count_up(1));
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    const DeviceArray<double> there(count_up(1));
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    const PinnedArray<double> pinned(1);
    double pageable = 1;
    const std::pair<const double*, const char*> sources[] = {
        {there.data(), "another device"}, {pinned.data(), "host memory"}, {&pageable, "outside"}};
    for (const auto& [source, complaint] : sources) {
        ASSERT_EQ(kernel.launch(1, 1, PairArgs{source, here.data(), 0}), cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        expect_complaint(complaint);
    }
}

TEST_F(SimulatedKernel, ThatReadsMisalignedIsReported) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(odd, PairArgs, 1) {"
                                           "  const double* from = reinterpret_cast<const double*>("
                                           "    reinterpret_cast<const char*>(args.from) + 4);"
                                           "  store(args.to, load(from)); }"),
                            "odd");
    const DeviceArray<double> from(count_up(4));
    const DeviceArray<double> to(1);
    ASSERT_EQ(kernel.launch(1, 1, PairArgs{from.data(), to.data(), 0}), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("misaligned");
}

TEST_F(SimulatedKernel, MayMoveSixteenBytesAtOnceWhereTheyAreAligned) {
    const TestKernel kernel(
        with_pair_args("struct alignas(16) Two { double entries[2]; };"
                       "MATGRAD_KERNEL(two, PairArgs, 1) {"
                       "  store(reinterpret_cast<Two*>(args.to),"
                       "        load(reinterpret_cast<const Two*>(args.from + args.n))); }"),
        "two");
    const DeviceArray<double> from(count_up(4));
    const DeviceArray<double> to(std::vector<double>{0, 0, 0});
    ASSERT_EQ(kernel.launch(1, 1, PairArgs{from.data(), to.data(), 2}), cudaSuccess);
    EXPECT_EQ(to.download(), (std::vector<double>{3, 4, 0}));
    EXPECT_EQ(launches()[0].loads, 1);
    EXPECT_EQ(launches()[0].stores, 1);
    EXPECT_EQ(launches()[0].load_bytes, 16);
    EXPECT_EQ(launches()[0].store_bytes, 16);
    // Behind one double, and with its second half past the end.
    ASSERT_EQ(kernel.launch(1, 1, PairArgs{from.data(), to.data(), 1}), cudaSuccess);
    EXPECT_TRUE(std::isnan(to.download()[0]));
    expect_complaint("loads 16 bytes misaligned");
    ASSERT_EQ(kernel.launch(1, 1, PairArgs{from.data(), to.data() + 2, 0}), cudaSuccess);
    EXPECT_EQ(to.download()[2], 0);
    expect_complaint("stores 16 bytes past the end");
}

TEST_F(SimulatedKernel, GivesTheNumbersOfNeighboursInTheWarpInEveryOrderOfThreads) {
    const TestKernel kernel(
        with_pair_args("MATGRAD_KERNEL(next, PairArgs, 96) {"
                       "  const int t = thread_index();"
                       "  const double once = from_neighbour(load(args.from + t), 1);"
                       "  store(args.to + t, from_neighbour(once, 16)); }"),
        "next");
    const DeviceArray<double> from(count_up(96));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(96);
        ASSERT_EQ(kernel.launch(1, 96, PairArgs{from.data(), to.data(), 0}), cudaSuccess);
        const std::vector<double> got = to.download();
        for (std::size_t t = 0; t < 96; ++t) {
            if (t % 32 + 17 < 32) {
                EXPECT_EQ(got[t], static_cast<double>(t + 1 + 17)) << t;
            } else {
                EXPECT_TRUE(std::isnan(got[t])) << t;
            }
        }
    }
}

TEST_F(SimulatedKernel, ThatWritesPastASharedArrayIsReported) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(past, PairArgs, 64) {"
                                           "  MATGRAD_SHARED(float, kept, 63);"
                                           "  kept[thread_index()] = 1;"
                                           "}"),
                            "past");
    ASSERT_EQ(kernel.launch(1, 64, PairArgs{nullptr, nullptr, 0}), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("shared array kept");
}

TEST_F(SimulatedKernel, AddsAtomicallyOverAllThreads) {
    const TestKernel kernel(
        "struct Args { long long* sum; };"
        "MATGRAD_KERNEL(count, Args, 128) { atomic_add(args.sum, 3); }",
        "count");
    const DeviceArray<long long> sum(std::vector<long long>{-100});
    ASSERT_EQ(kernel.launch(10, 100, sum.data()), cudaSuccess);
    EXPECT_EQ(sum.download()[0], -100 + 3 * 1000);
}

TEST_F(SimulatedKernel, TakesItsArgumentsWhenItIsLaunched) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(one, PairArgs, 1) {"
                                           "  store(args.to, static_cast<double>(args.n)); }"),
                            "one");
    const DeviceArray<double> to(1);
    PairArgs args{nullptr, to.data(), 7};
    ASSERT_EQ(kernel.launch(1, 1, args), cudaSuccess);
    args = {nullptr, nullptr, 8};
    EXPECT_EQ(to.download()[0], 7);
}

TEST_F(SimulatedKernel, IsNotLaunchedInAConfigurationNoDeviceHas) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(none, PairArgs, 256) {}"), "none");
    const PairArgs args{nullptr, nullptr, 0};
    EXPECT_EQ(kernel.launch(0, 32, args), cudaErrorInvalidConfiguration);
    EXPECT_EQ(kernel.launch(1, 0, args), cudaErrorInvalidConfiguration);
    EXPECT_EQ(kernel.launch(1, 1025, args), cudaErrorInvalidConfiguration);
    EXPECT_EQ(kernel.launch(1u << 31, 32, args), cudaErrorInvalidConfiguration);
    EXPECT_EQ(take_complaints().size(), 4u);
    // More threads than its launch bound.
    EXPECT_EQ(kernel.launch(1, 257, args), cudaErrorLaunchOutOfResources);
    EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchOutOfResources);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    EXPECT_EQ(pending_tasks(), 0u);
}

TEST_F(SimulatedKernel, ComputesFunctionsInTheTypeOfTheirArgument) {
    const TestKernel kernel(
        "struct Args { float* x; double* y; };"
        "MATGRAD_KERNEL(functions, Args, 1) {"
        "  store(args.x, exp(1.0f)); store(args.y, exp(1.0));"
        "  store(args.x + 1, pow(2.0f, 0.5f)); store(args.y + 1, max(infinity<double>(), 1.0));"
        "  store(args.x + 2, isnan(sqrt(-1.0f)) ? 1.0f : 0.0f);"
        "  store(args.y + 2, isfinite(log(0.0)) ? 1.0 : 0.0);"
        "}",
        "functions");
    const DeviceArray<float> x(3);
    const DeviceArray<double> y(3);
    struct {
        float* x;
        double* y;
    } const args{x.data(), y.data()};
    ASSERT_EQ(kernel.launch(1, 1, args), cudaSuccess);
    EXPECT_EQ(x.download(), (std::vector<float>{std::exp(1.0f), std::pow(2.0f, 0.5f), 1.0f}));
    EXPECT_EQ(y.download(), (std::vector<double>{std::exp(1.0), HUGE_VAL, 0.0}));
}

TEST_F(SimulatedKernel, ThatDoesNotCompileGivesTheLogOfTheCompiler) {
    std::string cubin;
    std::string log;
    EXPECT_EQ(compile_text("MATGRAD_KERNEL(bad, int, 1) { nonsense; }", cubin, log),
              NVRTC_ERROR_COMPILATION);
    EXPECT_THAT(log, HasSubstr("nonsense"));
    EXPECT_THAT(log, HasSubstr("test.cu"));
}

TEST_F(SimulatedKernel, SeesNoStandardHeader) {
    std::string cubin;
    std::string log;
    EXPECT_EQ(compile_text("}\n#include <cstdint>\nnamespace matgrad::block {", cubin, log),
              NVRTC_ERROR_COMPILATION);
    EXPECT_THAT(log, HasSubstr("cstdint"));
}

TEST_F(SimulatedKernel, IsCompiledForArchitecturesThatExistAndLoadedOnItsOwn) {
    std::string cubin;
    std::string log;
    EXPECT_EQ(compile_text("", cubin, log, {"--gpu-architecture=sm_17"}),
              NVRTC_ERROR_INVALID_OPTION);
    EXPECT_EQ(compile_text("", cubin, log, {"--no-such-option"}), NVRTC_ERROR_INVALID_OPTION);
    EXPECT_EQ(compile_text("", cubin, log, {"--gpu-architecture=compute_90"}), NVRTC_SUCCESS);
    EXPECT_EQ(cubin, "");
    ASSERT_EQ(compile_text("", cubin, log, {"-arch=sm_80"}), NVRTC_SUCCESS);
    cudaLibrary_t library = nullptr;
    EXPECT_EQ(
        cudaLibraryLoadData(&library, cubin.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        cudaErrorNoKernelImageForDevice);
    EXPECT_EQ(cudaLibraryLoadData(&library, "something", nullptr, nullptr, 0, nullptr, nullptr, 0),
              cudaErrorInvalidKernelImage);
}

TEST_F(SimulatedKernel, IsFoundByItsName) {
    std::string cubin;
    std::string log;
    ASSERT_EQ(compile_text("MATGRAD_KERNEL(here, int, 1) {}", cubin, log), NVRTC_SUCCESS) << log;
    cudaLibrary_t library = nullptr;
    ASSERT_EQ(
        cudaLibraryLoadData(&library, cubin.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        cudaSuccess);
    cudaKernel_t kernel = nullptr;
    EXPECT_EQ(cudaLibraryGetKernel(&kernel, library, "there"), cudaErrorSymbolNotFound);
    EXPECT_EQ(cudaLibraryGetKernel(&kernel, library, "here"), cudaSuccess);
    EXPECT_EQ(cudaLibraryUnload(library), cudaSuccess);
    EXPECT_EQ(cudaLibraryUnload(library), cudaErrorInvalidResourceHandle);
}

TEST_F(SimulatedKernel, WhoseLibraryIsUnloadedBeforeItRanIsReported) {
    set_schedule({1, 0});
    {
        const TestKernel kernel("MATGRAD_KERNEL(late, int, 1) {}", "late");
        ASSERT_EQ(kernel.launch(1, 1, 0), cudaSuccess);
    }
    expect_complaint("cudaLibraryUnload");
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

}  // namespace
}  // namespace matgrad::simulated
