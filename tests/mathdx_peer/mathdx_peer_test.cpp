// The peer by cuBLASDx on the simulated GPU, with a twin of its products: its kernels are right, and its
// calls only enqueue.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nvrtc.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/cpp_peers/mathdx/code.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/suite.hpp"
#include "cuda/simulated_support.hpp"

namespace matgrad::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

/// Whole warps and parts of them, one warp and several, aligned rows and others; Gram matrices of one warp,
/// of halves, and of halves of halves.
const char* const kSuite = R"({"name": "peers", "cases": [
    {"function": "log_det_gram",
     "for": {"sizes": [{"m": 64, "n": 16}, {"m": 9, "n": 5}],
             "type": ["float32", "float64"], "batch": [1, 5]}},
    {"function": "log_det_gram", "sizes": {"m": 40, "n": 32}, "batch": 3, "type": "float32",
     "for": {"outputs": ["value", "gradient"]}},
    {"function": "log_det_gram", "batch": 2,
     "for": {"sizes": [{"m": 50, "n": 45}, {"m": 90, "n": 68}]}, "type": "float32"},
    {"function": "frobenius",
     "for": {"sizes": [{"m": 20, "n": 12, "p": 14}, {"m": 3, "n": 8, "p": 2}],
             "type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [["X"], ["A"], ["X", "A"]]}, "batch": 3}]})";

/// A folder that looks like the package to who looks for it.
class Package {
public:
    Package()
        : root_(fs::temp_directory_path() / ("mathdx_peer_test." + std::to_string(getpid()))) {
        fs::create_directories(root_ / "include/cublasdx");
        std::ofstream(root_ / "include/cublasdx.hpp") << "#error for the look of it\n";
        std::ofstream(root_ / "include/cublasdx/cublasdx_version.hpp")
            << "#define CUBLASDX_VERSION_HPP\n#define CUBLASDX_VERSION 10203\n";
        setenv("MATGRAD_MATHDX_ROOT", root_.c_str(), 1);
    }
    ~Package() { fs::remove_all(root_); }
    Package(const Package&) = delete;
    Package& operator=(const Package&) = delete;
    [[nodiscard]] const fs::path& root() const { return root_; }

private:
    fs::path root_;
};

/// Before the peer looks, which it does once.
const Package& package() {
    static const Package one;
    return one;
}

MathdxEntries entries() {
    (void)package();
    return {matgrad_mathdx_peer, matgrad_mathdx_offers, matgrad_mathdx_absent,
            matgrad_mathdx_version};
}

Pace short_pace() {
    Pace pace;
    pace.seconds = 1e-4;
    pace.warm_up_of_a_gpu = 0;
    return pace;
}

/// It takes the device for a small one, so that few copies are made to be beyond its cache.
std::unique_ptr<Runner> peer_runner() {
    simulated::Machine machine;
    machine.device_memory = std::size_t{1} << 20;
    simulated::reset(machine);
    const GpuContender peer = mathdx_peer(entries(), 90);
    auto runner = make_gpu_runner({DeviceKind::cuda, 0}, {peer, as_graphs(peer)});
    simulated::reset();
    return runner;
}

TEST(MathdxPeer, GivesRightResults) {
    const auto runner = peer_runner();
    for (const Case& c : parse_suite(kSuite, "peers").cases) {
        EXPECT_THAT(runner->executors(c), ElementsAre("mathdx", "mathdx, graph"));
        for (const std::string& executor : runner->executors(c)) {
            const Row row = runner->run(c, executor, short_pace());
            EXPECT_TRUE(row.ok) << c.name << ": " << row.error;
            EXPECT_EQ(row.executor, executor);
            simulated::expect_no_complaints();
        }
    }
}

TEST(MathdxPeer, ComputesACaseInOneLaunchAndAllocatesNothing) {
    const auto runner = peer_runner();
    (void)runner->ceilings(1);
    const Case c = parse_suite(kSuite, "peers").cases.front();
    const std::int64_t launches = simulated::calls("cudaLaunchKernelExC");
    const std::int64_t replays = simulated::calls("cudaGraphLaunch");
    const Row row = runner->run(c, "mathdx, graph", short_pace());
    EXPECT_TRUE(row.ok) << row.error;
    // One run before, and one to record each copy.
    EXPECT_EQ(simulated::calls("cudaLaunchKernelExC") - launches, 1 + row.copies);
    EXPECT_GT(simulated::calls("cudaGraphLaunch") - replays, row.timing.repeats);
}

TEST(MathdxPeer, IsOfferedWhatItHasAKernelFor) {
    (void)package();
    const GpuContender peer = mathdx_peer(entries(), 90);
    const Suite suite = parse_suite(R"({"name": "offers", "cases": [
        {"function": "log_det_gram", "sizes": {"m": 64, "n": 16}},
        {"function": "frobenius", "sizes": {"m": 64, "n": 16, "p": 32}, "batched": ["X"], "batch": 2},
        {"function": "log_det_gram", "sizes": {"m": 4096, "n": 256}},
        {"function": "frobenius", "sizes": {"m": 64, "n": 16, "p": 32}, "batched": ["A"], "batch": 2,
         "reduce": "sum"},
        {"function": "least_squares", "sizes": {"m": 64, "n": 16}},
        {"function": "inverse_trace", "f": "tr(inv(X))*2", "wrt": ["X"], "declare": ["X=n,n"],
         "sizes": {"n": 8}}]})",
                                    "offers");
    std::vector<bool> offered;
    for (const Case& c : suite.cases) {
        offered.push_back(peer.offers(c));
    }
    EXPECT_THAT(offered, ElementsAre(true, true, false, false, false, false));
    EXPECT_FALSE(mathdx_peer(entries(), 70).offers(suite.cases.front()));
}

TEST(MathdxPeer, TellsInOneLineWhyItsKernelIsNotCompiled) {
    const auto runner = peer_runner();
    (void)runner->ceilings(1);
    const Case c = parse_suite(kSuite, "peers").cases.front();
    simulated::fail_call("nvrtcCompileProgram", 1, NVRTC_ERROR_OUT_OF_MEMORY);
    const Row row = runner->run(c, "mathdx", short_pace());
    EXPECT_FALSE(row.ok);
    EXPECT_EQ(row.error, "nvrtcCompileProgram failed with NVRTC_ERROR_OUT_OF_MEMORY");
    EXPECT_TRUE(runner->run(c, "mathdx", short_pace()).ok);
}

TEST(MathdxPeer, KnowsTheVersionOfThePackage) {
    const MathdxEntries peer = entries();
    EXPECT_STREQ(peer.version(), "1.2.3");
    EXPECT_STREQ(peer.absent(), "");
}

PeerTask small_task(std::int64_t n) {
    PeerTask task{};
    task.function = Closed::log_det_gram;
    task.m = 2 * n;
    task.n = n;
    task.p = 2 * n;
    return task;
}

TEST(MathdxCode, IsFoundWhereItWasCompiledAhead) {
    const fs::path folder = package().root() / "mathdx_kernels";
    const MathdxPlaces here = mathdx_places("");
    const MathdxKernel kernels[] = {*mathdx_kernel(small_task(3), 90),
                                    *mathdx_kernel(small_task(4), 90)};
    compile_ahead(here, kernels, folder);

    setenv("MATGRAD_MATHDX_ROOT", "/nowhere", 1);
    const MathdxPlaces there = mathdx_places(package().root() / "libmatgrad_mathdx_peer.so");
    setenv("MATGRAD_MATHDX_ROOT", package().root().c_str(), 1);
    EXPECT_EQ(there.compiled, folder);
    EXPECT_THAT(there.root.string(), IsEmpty());
    EXPECT_EQ(why_absent(there), "");
    EXPECT_EQ(cublasdx_version(there), "1.2.3");
    for (const MathdxKernel& kernel : kernels) {
        EXPECT_TRUE(has_code(there, kernel));
        EXPECT_EQ(code_of(there, kernel), compile(here, kernels));
    }
    const MathdxKernel another = *mathdx_kernel(small_task(5), 90);
    EXPECT_FALSE(has_code(there, another));
    try {
        (void)code_of(there, another);
        FAIL();
    } catch (const MachineError& error) {
        EXPECT_THAT(error.what(), HasSubstr("log_det_gram_10x5_float was not compiled ahead"));
    }
    EXPECT_FALSE(has_code(there, *mathdx_kernel(small_task(3), 80)));
    // A kernel of the same name whose text has changed since.
    MathdxKernel changed = kernels[0];
    changed.threads = 64;
    EXPECT_FALSE(has_code(there, changed));
}

TEST(MathdxCode, IsAbsentWithoutThePackage) {
    (void)package();
    setenv("MATGRAD_MATHDX_ROOT", "/nowhere", 1);
    const MathdxPlaces places = mathdx_places("/nowhere/either.so");
    setenv("MATGRAD_MATHDX_ROOT", package().root().c_str(), 1);
    EXPECT_EQ(why_absent(places), "absent: MATGRAD_MATHDX_ROOT names no folder of nvidia-mathdx");
    EXPECT_FALSE(has_code(places, *mathdx_kernel(small_task(3), 90)));
}

}  // namespace
}  // namespace matgrad::bench
