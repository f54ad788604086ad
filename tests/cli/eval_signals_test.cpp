// What a signal leaves of a running `eval`: nothing, or everything.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

/// A run of thousands of small pieces that writes three results over older ones.
class EvalSignals : public ::testing::Test {
protected:
    static constexpr std::int64_t kBatch = 96 * 1024, m = 16, n = 8;

    EvalSignals() {
        write_npy(folder_.path("X.npy"), {kBatch, m, n}, numbers(kBatch * m * n, 2));
        for (const char* name : {"G.npy", "v.npy", "s.npy"}) {
            io_test::write_text(folder_.path(name), "an older result");
        }
        options_.folder = folder_.path("");
    }
    /// By default in thousands of pieces, which take their time.
    [[nodiscard]] static std::vector<std::string> words(const char* memory = "8K") {
        return {"eval",    "norm2(X)^2", "--wrt",    "X",     "X=X.npy",  "--grad", "G.npy",
                "--value", "v.npy",      "--status", "s.npy", "--memory", memory};
    }
    void expect_older_results() const {
        for (const char* name : {"G.npy", "v.npy", "s.npy"}) {
            EXPECT_EQ(io_test::read_text(folder_.path(name)), "an older result") << name;
        }
        EXPECT_EQ(folder_.num_entries(), 4u);
    }

    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(EvalSignals, ThatAskItToEndLeaveTheOlderResults) {
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2,
                             SIGVTALRM, SIGPROF}) {
        Command command(words(), options_);
        ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
        command.send_signal(signal);
        const RunResult result = command.wait();
        EXPECT_EQ(result.status, signal == SIGPIPE ? 141 : 130) << signal;
        EXPECT_EQ(result.err, signal == SIGPIPE ? "" : "matgrad: interrupted\n");
        expect_older_results();
    }
}

TEST_F(EvalSignals, ThatEndItOnTheSpotLeaveTheOlderResults) {
    // A command that is built with AddressSanitizer would catch some of them, to report them.
    ::setenv("ASAN_OPTIONS",
             "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0", 1);
    for (const int signal : {SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGKILL}) {
        Command command(words(), options_);
        ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
        command.send_signal(signal);
        EXPECT_EQ(command.wait().status, 128 + signal);
        expect_older_results();
    }
}

TEST_F(EvalSignals, AreIgnoredWhereTheyWereIgnoredBefore) {
    const auto before = ::signal(SIGHUP, SIG_IGN);
    {
        options_.keeps_ignored_signals = true;
        Command command(words("1M"), options_);
        ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
        command.send_signal(SIGHUP);
        EXPECT_EQ(command.wait().status, 0);
    }
    (void)::signal(SIGHUP, before);
    EXPECT_EQ(read_npy<double>(folder_.path("v.npy"), {kBatch}).size(), kBatch);
}

TEST_F(EvalSignals, AreNoneThatTheUserSeesWhereAReaderLeavesEarly) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[0]);  // as `matgrad ... | head` has it
    options_.stdout_fd = ends[1];
    const std::vector<std::string> calls[] = {
        {"eval", "norm2(X)^2", "--wrt", "X", "X=X.npy", "--value", "v.npy", "--explain"},
        {"list"},
        {"derive", "norm2(X)^2", "--wrt", "X"},
        {"check", "norm2(X)^2", "--wrt", "X"}};
    for (const auto& call : calls) {
        const RunResult result = run(call, options_);
        EXPECT_EQ(result.status, 128 + SIGPIPE) << call[0];
        EXPECT_EQ(result.err, "") << call[0];
    }
    ::close(ends[1]);
    EXPECT_EQ(folder_.num_entries(), 4u);
}

TEST_F(EvalSignals, OfAStackThatIsTooSmallLeaveNothing) {
    for (const std::int64_t kilobytes : {16, 32, 64, 96}) {
        options_.stack = kilobytes << 10;
        const RunResult result = run(words("4M"), options_);
        if (result.status != 0) {
            expect_older_results();
        } else {
            EXPECT_EQ(folder_.num_entries(), 4u);
            break;  // it was enough
        }
    }
}

TEST_F(EvalSignals, AndFoldersThatTakeAResultsPlaceLeaveAllTheOlderResults) {
    Command command(words("1M"), options_);
    ASSERT_TRUE(command.has_begun_to_write_in(options_.folder));
    std::filesystem::remove(folder_.path("s.npy"));
    std::filesystem::create_directory(folder_.path("s.npy"));
    const RunResult result = command.wait();
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.err, "matgrad: s.npy: cannot be written: Is a directory\n");
    EXPECT_EQ(io_test::read_text(folder_.path("G.npy")), "an older result");
    EXPECT_EQ(io_test::read_text(folder_.path("v.npy")), "an older result");
    EXPECT_TRUE(std::filesystem::is_directory(folder_.path("s.npy")));
    EXPECT_EQ(folder_.num_entries(), 4u);
}

}  // namespace
}  // namespace matgrad::cli_test
