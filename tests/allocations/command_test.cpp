// Memory that runs out in the command, and before the threads of a process are there.

#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "allocations/every_allocation.hpp"
#include "allocations/in_child.hpp"
#include "allocations/run_case.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::test {
namespace {

using How = FailingAllocations::How;
using Words = std::vector<std::string>;

constexpr std::int64_t kNever = 1'000'000'000'000;

/// Of each command, in each way to fail: each is a process.
constexpr std::int64_t kTries = 60;

/// Runs in a folder with operands and older results.
class CommandOutOfMemory : public testing::Test {
protected:
    CommandOutOfMemory() {
        cli_test::write_npy(folder_.path("X.npy"), {6, 5, 3}, cli_test::numbers(6 * 5 * 3, 1));
        cli_test::write_npy(folder_.path("w.npy"), {3}, cli_test::numbers(3, 2));
        std::filesystem::current_path(folder_.path(""));
        put_older_results();
    }
    ~CommandOutOfMemory() override { std::filesystem::current_path("/"); }

    static void put_older_results() {
        for (const char* name : {"G.npy", "v.npy", "s.npy"}) {
            io_test::write_text(name, "an older result");
        }
    }
    /// Everything in the folder, by name.
    [[nodiscard]] static std::map<std::string, std::string> files() {
        std::map<std::string, std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(".")) {
            const std::string name = entry.path().filename().string();
            all[name] = io_test::read_text(name);
        }
        return all;
    }

    /// The command with each allocation failing.
    static void expect_answers_or_one_line(const Words& words) {
        ++tally().operations;
        std::vector<const char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(word.c_str());
        }
        const auto call = [&arguments] { return run_command(arguments); };
        const auto before = files();
        const ChildResult want = call_in_child(kNever, How::once, call);
        EXPECT_EQ(want.status, 0) << want.err;
        const auto after_it = files();
        const std::int64_t distance = distance_of_failures(want.allocations, kTries);
        for (const How how : {How::once, How::from_then_on}) {
            for (std::int64_t after = 0;; after += distance) {
                SCOPED_TRACE(words[0] + " " + words[1] + ": allocation " + std::to_string(after) +
                             (how == How::once ? "" : " and all after it"));
                put_older_results();
                const ChildResult got = call_in_child(after, how, call);
                tally().failures += got.has_failed ? 1 : 0;
                const auto there = files();
                EXPECT_FALSE(got.leaks) << got.err;
                if (got.status == 0) {
                    EXPECT_EQ(got.out, want.out);
                    EXPECT_TRUE(there == after_it);
                } else {
                    ++tally().errors;
                    EXPECT_EQ(got.status, 3) << got.err;
                    EXPECT_EQ(std::count(got.err.begin(), got.err.end(), '\n'), 1) << got.err;
                    EXPECT_EQ(got.err.rfind("matgrad: ", 0), 0u) << got.err;
                    EXPECT_TRUE(there == before || there == after_it) << "a part of the results";
                }
                if (!got.has_failed || HasFailure()) {
                    break;
                }
            }
        }
    }

    io_test::TemporaryFolder folder_;
};

TEST_F(CommandOutOfMemory, EvalAnswersOrSaysSo) {
    const Words words{"eval",     "logdet(X'*X) + sum(X*w)",
                      "--wrt",    "X",
                      "X=X.npy",  "w=w.npy",
                      "--device", "cpu",
                      "--grad",   "G.npy",
                      "--value",  "v.npy",
                      "--status", "s.npy"};
    expect_answers_or_one_line(words);
}

TEST_F(CommandOutOfMemory, EvalOfManyPiecesAnswersOrSaysSo) {
    // Read, computed and written by threads of their own.
    expect_answers_or_one_line({"eval", "logdet(X'*X)", "--wrt", "X", "X=X.npy", "--device", "cpu",
                                "--grad", "G.npy", "--memory", "600", "--threads", "2", "--check"});
}

TEST_F(CommandOutOfMemory, EvalOfAMeanAnswersOrSaysSo) {
    expect_answers_or_one_line({"eval", "norm2(X*w)^2", "--wrt", "w", "X=X.npy", "w=w.npy",
                                "--reduce", "mean", "--device", "cpu", "--explain"});
}

TEST_F(CommandOutOfMemory, DeriveAndCheckAnswerOrSaySo) {
    expect_answers_or_one_line({"derive", "logdet(X'*X)", "--wrt", "X"});
    expect_answers_or_one_line({"check", "norm2(w)^2", "--wrt", "w", "--batch", "1"});
}

/// Threads and the buffers of a BLAS are made by the first run that wants them.
TEST(WithoutMemoryOrThreads, TheFirstRunOfAProcessAnswersOrSaysSo) {
    ++tally().operations;
    CaseData data({"a run",
                   "norm2(X*X'*A)^2",
                   {},
                   {batched("X", 220, 200), shared("A", 220, 20)},
                   {.wrt = {"X"}, .threads = 1},
                   3,
                   "plain layout"});
    data.clear_results();
    const std::string before = data.bytes();
    (void)data.run(data.make_plan());
    const std::string want = data.bytes();
    data.set_threads(6);
    for (const How how : {How::once, How::from_then_on}) {
        for (std::int64_t after = 0;; ++after) {
            data.clear_results();
            const Plan plan = data.make_plan();
            const ChildResult got = call_in_child(
                after, how,
                [&] {
                    try {
                        (void)data.run(plan);
                        return 0;
                    } catch (const MachineError&) {
                        return 3;
                    }
                },
                [&](int status) {
                    return data.bytes() == (status == 0 ? want : before) ? status : 1;
                });
            tally().failures += got.has_failed ? 1 : 0;
            EXPECT_TRUE(got.status == 0 || got.status == 3)
                << "allocation " << after << ": " << got.status << " " << got.err;
            EXPECT_FALSE(got.leaks) << got.err;
            if (!got.has_failed || HasFailure()) {
                break;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
