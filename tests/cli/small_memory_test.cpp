// The command where memory is short: it answers and ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

constexpr std::int64_t kMegabyte = 1000 * 1000;
constexpr int kLongEnough = 30000;  // milliseconds; it takes some ten

bool is_sanitized() {
#if defined(MATGRAD_SANITIZE)
    return true;
#else
    return false;
#endif
}

class SmallMemory : public ::testing::Test {
protected:
    void SetUp() override {
        if (is_sanitized()) {
            GTEST_SKIP() << "the sanitizer needs address space of its own";
        }
        options_.folder = folder_.path("");
    }

    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(SmallMemory, LetsEveryCommandEnd) {
    write_npy(folder_.path("x.npy"), {4}, numbers(4, 1));
    const std::vector<std::string> calls[] = {
        {"list"},
        {"--version"},
        {"derive", "norm2(x)^2", "--wrt", "x"},
        {"eval", "norm2(x)^2", "--wrt", "x", "x=x.npy", "--device", "cpu"},
        {"nonsense"}};
    for (const std::int64_t megabytes : {60, 80, 100, 130, 160}) {
        options_.address_space = megabytes * kMegabyte;
        for (const auto& call : calls) {
            Command command(call, options_);
            ASSERT_TRUE(command.ends_within(kLongEnough)) << call[0] << " in " << megabytes;
            EXPECT_EQ(command.wait().status, call[0] == "nonsense" ? 2 : 0) << call[0];
        }
    }
}

TEST_F(SmallMemory, EndsARunThatCallsABlasWithoutABuffer) {
    write_npy(folder_.path("X.npy"), {2, 300, 300}, numbers(2 * 300 * 300, 1));
    const std::vector<std::string> words{"eval",    "norm2(X*X')^2", "--wrt", "X",
                                         "X=X.npy", "--grad",        "G.npy", "--threads",
                                         "2",       "--device",      "cpu"};
    for (const std::int64_t megabytes : {90, 160, 250, 320, 2000}) {
        options_.address_space = megabytes * kMegabyte;
        Command command(words, options_);
        ASSERT_TRUE(command.ends_within(kLongEnough)) << megabytes;
        const RunResult result = command.wait();
        if (megabytes == 2000) {
            EXPECT_EQ(result.status, 0) << result.err;
        } else if (result.status != 0) {
            EXPECT_EQ(result.status, 3) << megabytes << ": " << result.err;
            EXPECT_THAT(result.err, ::testing::HasSubstr("memory"));
            EXPECT_EQ(folder_.num_entries(), 1u);
        }
    }
}

TEST_F(SmallMemory, IsEnoughForFewProblemsOnManyThreads) {
    // A tile of it is 12 MB: one for each thread would be 12 GB.
    write_npy(folder_.path("X.npy"), {3, 700, 500}, numbers(3 * 700 * 500, 1));
    options_.address_space = 4000 * kMegabyte;
    const auto words = [](const char* threads, const char* out) {
        return std::vector<std::string>{"eval",    "norm2(X'*X)^2", "--wrt", "X",
                                        "X=X.npy", "--grad",        out,     "--threads",
                                        threads,   "--device",      "cpu"};
    };
    const RunResult many = run(words("1024", "many.npy"), options_);
    EXPECT_EQ(many.status, 0) << many.err;
    const RunResult one = run(words("1", "one.npy"), options_);
    EXPECT_EQ(one.status, 0) << one.err;
    EXPECT_TRUE(io_test::read_text(folder_.path("many.npy")) ==
                io_test::read_text(folder_.path("one.npy")));
}

}  // namespace
}  // namespace matgrad::cli_test
