// Batches larger than the memory allowed, interrupts, full disks, files that shrink.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

/// f = tr(A*X) + norm2(X)^2 on (B, 16, 8) doubles: 1 KiB a problem, 2 KiB with the gradient.
class EvalStream : public ::testing::Test {
protected:
    static constexpr std::int64_t m = 16, n = 8;

    void make_batch(std::int64_t batch) {
        write_npy(folder_.path("A.npy"), {n, m}, numbers(m * n, 1));
        write_npy(folder_.path("X.npy"), {batch, m, n}, numbers(batch * m * n, 2));
        options_.folder = folder_.path("");
    }
    [[nodiscard]] static std::vector<std::string> words(std::vector<std::string> more) {
        more.insert(more.begin(), {"eval", "tr(A*X) + norm2(X)^2", "--wrt", "X", "A=A.npy",
                                   "X=X.npy", "--grad", "G.npy"});
        return more;
    }
    [[nodiscard]] bool has_temporary() const {
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path(""))) {
            if (entry.path().extension() == ".tmp") {
                return true;
            }
        }
        return false;
    }
    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(EvalStream, KeepsToTheMemoryItIsAllowed) {
    make_batch(64 * 1024);  // 64 MiB in, 64 MiB out
    const RunResult result = run(words({"--memory", "4M", "--status", "s.npy"}), options_);
    ASSERT_EQ(result.status, 0) << result.err;
    const auto x = numbers(64 * 1024 * m * n, 2);
    const auto a = numbers(m * n, 1);
    const auto g = read_npy<double>(folder_.path("G.npy"), {64 * 1024, m, n});
    ASSERT_EQ(g.size(), x.size());
    std::int64_t wrong = 0;
    for (std::size_t at = 0; at < g.size(); ++at) {
        const std::size_t i = at / n % m;
        const std::size_t j = at % n;
        const double expected = a[j * m + i] + 2 * x[at];
        wrong += std::abs(g[at] - expected) <= 8e-16 ? 0 : 1;  // one sum of numbers below 3
    }
    EXPECT_EQ(wrong, 0);
#if defined(MATGRAD_SANITIZE)
    GTEST_SKIP() << "the sanitizer needs memory of its own";
#endif
    write_npy(folder_.path("X.npy"), {1, m, n}, numbers(m * n, 2));
    const RunResult small = run(words({"--memory", "4M"}), options_);
    ASSERT_EQ(small.status, 0);
    // 4 MiB for the problems in flight, 4 more for stacks and whatever the C library keeps.
    EXPECT_LT(result.peak_bytes, small.peak_bytes + 8 * kMiB)
        << "a run of one problem peaks at " << small.peak_bytes;
}

TEST_F(EvalStream, WritesTheSameBitsInPiecesOfAnySize) {
    make_batch(1000);
    const auto files = [this] {
        return io_test::read_text(folder_.path("G.npy")) +
               io_test::read_text(folder_.path("s.npy"));
    };
    ASSERT_EQ(run(words({"--status", "s.npy"}), options_).status, 0);
    const std::string whole = files();
    // Pieces of 1, 2, 255 and 766 problems: the last one is a shorter one.
    for (const char* memory : {"1", "10K", "1M", "3M"}) {
        for (int repeat = 0; repeat < 3; ++repeat) {  // reading and writing run beside computing
            const RunResult result =
                run(words({"--memory", memory, "--status", "s.npy"}), options_);
            ASSERT_EQ(result.status, 0) << result.err;
            EXPECT_TRUE(files() == whole) << memory;
        }
    }
}

TEST_F(EvalStream, SumsToTheSameBitsInPiecesOfAnySize) {
    make_batch(5000);
    const auto files = [this] {
        return io_test::read_text(folder_.path("G.npy")) +
               io_test::read_text(folder_.path("v.npy"));
    };
    std::string whole;
    for (const char* memory : {"256M", "1", "10K", "1M", "3M"}) {
        for (const char* threads : {"1", "3"}) {
            const RunResult result =
                run({"eval", "norm2(A*X)^2", "--wrt", "A", "A=A.npy", "X=X.npy", "--grad", "G.npy",
                     "--value", "v.npy", "--reduce", "sum", "--device", "cpu", "--memory", memory,
                     "--threads", threads},
                    options_);
            ASSERT_EQ(result.status, 0) << result.err;
            whole = whole.empty() ? files() : whole;
            EXPECT_TRUE(files() == whole) << memory << ", threads " << threads;
        }
    }
}

TEST_F(EvalStream, EndsPromptlyWhenInterruptedAndLeavesNothing) {
    make_batch(96 * 1024);
    io_test::write_text(folder_.path("G.npy"), "an older result");
    for (const int signal : {SIGINT, SIGTERM}) {
        Command command(words({"--memory", "8K"}), options_);  // thousands of small pieces
        ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
        const auto start = std::chrono::steady_clock::now();
        command.send_signal(signal);
        const RunResult result = command.wait();
        const auto took = std::chrono::steady_clock::now() - start;
        EXPECT_EQ(result.status, 130) << result.err;
        EXPECT_EQ(result.err, "matgrad: interrupted\n");
        EXPECT_LT(took, std::chrono::seconds(2));
        EXPECT_FALSE(has_temporary());
        EXPECT_EQ(io_test::read_text(folder_.path("G.npy")), "an older result");
    }
}

TEST_F(EvalStream, RefusesAFileThatShrinksWhileItIsRead) {
    make_batch(96 * 1024);
    Command command(words({"--memory", "8K"}), options_);
    ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
    std::filesystem::resize_file(folder_.path("X.npy"), 1000);
    const RunResult result = command.wait();
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("X.npy: shrank"));
    EXPECT_FALSE(std::filesystem::exists(folder_.path("G.npy")));
    EXPECT_FALSE(has_temporary());
}

TEST_F(EvalStream, ReportsAFullDiskAsAFailureOfTheMachine) {
    make_batch(1000);
    io_test::write_text(folder_.path("G.npy"), "an older result");
    options_.file_size_limit = 100000;  // what a disk that fills up looks like: a short write
    for (const char* memory : {"8K", "256M"}) {
        const RunResult result = run(words({"--memory", memory, "--value", "v.npy"}), options_);
        EXPECT_EQ(result.status, 3) << result.err;
        EXPECT_THAT(result.err, HasSubstr("G.npy"));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
        EXPECT_EQ(io_test::read_text(folder_.path("G.npy")), "an older result");
        EXPECT_FALSE(std::filesystem::exists(folder_.path("v.npy")));
        EXPECT_FALSE(has_temporary());
    }
}

TEST_F(EvalStream, RefusesAFolderItMayNotWriteTo) {
    make_batch(10);
    std::filesystem::create_directory(folder_.path("locked"));
    std::filesystem::permissions(folder_.path("locked"), std::filesystem::perms::owner_read |
                                                             std::filesystem::perms::owner_exec);
    const io_test::WithoutPrivileges nobody(folder_);
    if (!nobody.hold()) {
        GTEST_SKIP() << "root cannot be denied anything here";
    }
    const RunResult result =
        run({"eval", "sum(X)", "--wrt", "X", "X=X.npy", "--grad", "locked/G.npy"}, options_);
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("locked/G.npy"));
}

TEST_F(EvalStream, ShowsProgressOnATerminalAlone) {
    make_batch(64 * 1024);
    EXPECT_EQ(run(words({"--memory", "64K"}), options_).err, "");
    options_.on_terminal = true;
    const RunResult result = run(words({"--memory", "64K"}), options_);
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, HasSubstr("/65536 problems"));
    EXPECT_THAT(result.err, HasSubstr("s left"));
}

}  // namespace
}  // namespace matgrad::cli_test
