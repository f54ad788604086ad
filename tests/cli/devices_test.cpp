// `matgrad devices`, `--device`, and the module behind them: opened only for who needs it, and a plain
// reason where it cannot be.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"
#include "support/test_data.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// What MODULE_LOUD ends a process with that opens it.
constexpr int kOpened = 99;

/// The command with another file in the place of the module, or with the module of the build.
class Devices : public ::testing::Test {
protected:
    void SetUp() override { ::unsetenv("MATGRAD_CUDA_MODULE"); }
    void TearDown() override { ::unsetenv("MATGRAD_CUDA_MODULE"); }
    static RunResult with_module(const std::string& file,
                                 const std::vector<std::string>& arguments) {
        ::setenv("MATGRAD_CUDA_MODULE", file.c_str(), 1);
        return run(arguments);
    }
};

const std::vector<std::string> kCheck{"check", "@log_det_gram", "--batch", "2"};

std::vector<std::string> check_on(const std::string& device) {
    std::vector<std::string> arguments = kCheck;
    arguments.insert(arguments.end(), {"--device", device});
    return arguments;
}

TEST_F(Devices, NameTheCpu) {
    const RunResult result = with_module("/nowhere/module.so", {"devices"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, StartsWith("cpu "));
    EXPECT_THAT(result.out,
                HasSubstr(std::to_string(std::thread::hardware_concurrency()) + " core"));
}

struct WrongModule {
    std::string file;
    std::string reason;
};

const WrongModule kWrong[] = {
    {"/nowhere/module.so", "MATGRAD_CUDA_MODULE is /nowhere/module.so, which does not exist"},
    {source_file("README.md"), "the CUDA module cannot be opened: " + source_file("README.md")},
    {MODULE_NO_ENTRY, MODULE_NO_ENTRY " is not a CUDA module of matgrad"},
    {MODULE_OTHER_VERSION, MODULE_OTHER_VERSION " is of another version: expected 0."},
    {MODULE_LACKS_LIBRARY, "the CUDA module cannot be opened: libabsent.so: cannot open"}};

TEST_F(Devices, SayInOneLineWhyThereIsNoGpu) {
    for (const auto& [file, reason] : kWrong) {
        const RunResult result = with_module(file, {"devices"});
        EXPECT_EQ(result.status, 0);
        EXPECT_THAT(result.out, HasSubstr(std::string("\ncuda  none: ")));
        EXPECT_THAT(result.out, HasSubstr(reason));
        EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2) << result.out;
    }
}

TEST_F(Devices, ThatAreAskedForAndAbsentAreAFailureOfTheMachine) {
    for (const auto& [file, reason] : kWrong) {
        for (const char* device : {"cuda", "cuda:0", "cuda:all"}) {
            const RunResult result = with_module(file, check_on(device));
            EXPECT_EQ(result.status, 3) << device;
            EXPECT_THAT(result.err, StartsWith("matgrad: device cuda:"));
            EXPECT_THAT(result.err, HasSubstr(reason));
            EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
        }
    }
}

TEST_F(Devices, OfTheLibraryExecutorAreGpus) {
    std::vector<std::string> arguments = kCheck;
    arguments.insert(arguments.end(), {"--executor", "library"});
    const RunResult result = with_module("/nowhere/module.so", arguments);
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(result.err, HasSubstr("device cuda:0"));
}

TEST_F(Devices, AreLookedForByWhoMayUseThem) {
    EXPECT_EQ(with_module(MODULE_LOUD, {"devices"}).status, kOpened);
    EXPECT_EQ(with_module(MODULE_LOUD, check_on("cuda")).status, kOpened);
    EXPECT_EQ(with_module(MODULE_LOUD, check_on("cuda:all")).status, kOpened);
}

TEST_F(Devices, AreNotLookedForByWhoDoesNot) {
    EXPECT_EQ(with_module(MODULE_LOUD, {"derive", "logdet(X'*X)", "--wrt", "X"}).status, 0);
    EXPECT_EQ(with_module(MODULE_LOUD, {"list"}).status, 0);
    EXPECT_EQ(with_module(MODULE_LOUD, {"--help"}).status, 0);
    EXPECT_EQ(with_module(MODULE_LOUD, check_on("cpu")).status, 0);
    EXPECT_EQ(with_module(MODULE_LOUD, check_on("auto")).status, 0)
        << "nothing so small is worth the start of a GPU";
}

/// A product that takes a processor seconds, in files of zeros.
class LongEval : public Devices {
protected:
    [[nodiscard]] std::vector<std::string> eval(const std::string& device) {
        write_npy(folder_.path("X.npy"), {kSize, kSize}, std::vector<double>(kSize * kSize));
        return {"eval", "tr(X^64)", "--wrt", "X",      "X=" + folder_.path("X.npy"), "--threads",
                "1",    "--device", device,  "--grad", folder_.path("G.npy")};
    }

    static constexpr std::int64_t kSize = 1500;
    io_test::TemporaryFolder folder_;
};

TEST_F(LongEval, LooksForAGpuUnlessToldNotTo) {
    EXPECT_EQ(with_module(MODULE_LOUD, eval("auto")).status, kOpened);
    EXPECT_FALSE(std::filesystem::exists(folder_.path("G.npy")));
}

TEST_F(Devices, ExplainTheChoiceBetweenThem) {
    const io_test::TemporaryFolder folder;
    write_npy(folder.path("x.npy"), {3}, numbers(3, 1));
    const std::vector<std::string> eval{"eval", "norm2(x)^2", "--wrt",
                                        "x",    "--explain",  "x=" + folder.path("x.npy")};
    const RunResult result = with_module(MODULE_LOUD, eval);
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, HasSubstr("device cpu: predicted "));
    std::vector<std::string> on_cpu = eval;
    on_cpu.insert(on_cpu.end(), {"--device", "cpu"});
    EXPECT_THAT(with_module(MODULE_LOUD, on_cpu).out, Not(HasSubstr("device cpu")));
}

TEST_F(Devices, AreNotNeededForTheTextOfAKernelButTheirModuleIs) {
    const std::vector<std::string> kernel{"kernel", "@log_det_gram", "--dims", "m=6,n=3"};
    for (const auto& [file, reason] : kWrong) {
        const RunResult result = with_module(file, kernel);
        EXPECT_EQ(result.status, 3);
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(result.err, StartsWith("matgrad: "));
        EXPECT_THAT(result.err, HasSubstr(reason));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
}

#ifdef MATGRAD_HAS_MODULE
TEST_F(Devices, NameTheMissingDriver) {
    if (void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); driver != nullptr) {
        ::dlclose(driver);
        GTEST_SKIP() << "this machine has an NVIDIA driver";
    }
    EXPECT_THAT(run({"devices"}).out, HasSubstr("cuda  none: no NVIDIA driver is installed\n"));
    const RunResult result = run(check_on("cuda"));
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "matgrad: no NVIDIA driver is installed\n");
}
#else
TEST_F(Devices, NameABuildWithoutCuda) {
    EXPECT_THAT(run({"devices"}).out, HasSubstr("cuda  none: this build has no CUDA executors\n"));
    const RunResult result = run(check_on("cuda:1"));
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "matgrad: device cuda:1: this build has no CUDA executors\n");
    EXPECT_EQ(run({"kernel", "@log_det_gram", "--dims", "m=6,n=3"}).err,
              "matgrad: this build has no CUDA executors\n");
}
#endif

}  // namespace
}  // namespace matgrad::cli_test
