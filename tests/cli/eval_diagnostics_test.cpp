// `matgrad eval`: --rcond, --error and --jitter.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <vector>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;

/// S of three problems: of condition 2, of condition 1e10, and with an eigenvalue of -0.004.
class EvalDiagnostics : public ::testing::Test {
protected:
    EvalDiagnostics() {
        write_npy(folder_.path("S.npy"), {3, 2, 2},
                  std::vector<double>{2, 0, 0, 1, 1, 0, 0, 1e-10, 1, 1.004, 1.004, 1});
        options_.folder = folder_.path("");
    }
    [[nodiscard]] RunResult eval(std::vector<std::string> more) const {
        std::vector<std::string> arguments{"eval",      "logdet(S)", "--wrt",   "S",     "S=S.npy",
                                           "--declare", "S=n,n:spd", "--value", "v.npy", "--grad",
                                           "g.npy",     "--status",  "s.npy"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments, options_);
    }

    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(EvalDiagnostics, WritesConditionsAndBoundsOfEachProblem) {
    for (const char* memory : {"1", "1M"}) {  // piece by piece, and at once
        const RunResult result =
            eval({"--rcond", "r.npy", "--error", "e.npy", "--memory", memory, "--device", "cpu"});
        EXPECT_EQ(result.status, 1);
        EXPECT_THAT(result.err, HasSubstr("1 of 3 problems failed; first: problem 2"));
        const auto r = read_npy<double>(folder_.path("r.npy"), {3});
        EXPECT_EQ(r[0], 0.5);
        EXPECT_NEAR(r[1], 1e-10, 1e-24);
        EXPECT_TRUE(std::isnan(r[2]));
        const auto e = read_npy<double>(folder_.path("e.npy"), {3, 2});
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_GT(e[i], 1e-16) << i;
            EXPECT_LT(e[i], 1e-13)
                << i;  // a diagonal matrix: each entry has its own condition, which is 1
        }
        EXPECT_TRUE(std::isnan(e[4]) && std::isnan(e[5]));
    }
}

TEST_F(EvalDiagnostics, HoldsOperandsAgainstTheirDeclarations) {
    for (const char* memory : {"1", "1M"}) {  // piece by piece, and at once
        const RunResult result = eval({"--verify", "--memory", memory});
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(
            result.err,
            "matgrad: S of problem 2 is not symmetric positive definite, as it is declared: its "
            "least eigenvalue is -0.004\n");
        EXPECT_EQ(result.out, "");
        EXPECT_FALSE(std::ifstream(folder_.path("v.npy")).good());
        EXPECT_FALSE(std::ifstream(folder_.path("g.npy")).good());
    }
    const RunResult result = run({"eval", "tr(S)", "--wrt", "S", "S=S.npy", "--declare",
                                  "S=n,n:sym", "--value", "v.npy", "--grad", "g.npy", "--verify"},
                                 options_);
    EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(EvalDiagnostics, HasOneColumnForEachResult) {
    const RunResult result = run({"eval", "logdet(S)", "--wrt", "S", "S=S.npy", "--declare",
                                  "S=n,n:spd", "--grad", "g.npy", "--error", "e.npy"},
                                 options_);
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(read_npy<double>(folder_.path("e.npy"), {3, 1}).size(), 3u);
    write_npy(folder_.path("x.npy"), {2}, std::vector<double>{1, 2});
    EXPECT_EQ(run({"eval", "sum(x.^3)", "--wrt", "x", "x=x.npy", "--hvp", "v=x.npy", "--error",
                   "e.npy", "--rcond", "r.npy", "--hvp-out", "h.npy", "--value", "v.npy"},
                  options_)
                  .status,
              0);
    EXPECT_EQ(read_npy<double>(folder_.path("e.npy"), {2}).size(), 2u);
    EXPECT_EQ(read_npy<double>(folder_.path("r.npy"), {}), std::vector<double>{1});
}

/// What is divided by the count of problems are results, not what is said of them.
TEST_F(EvalDiagnostics, OfMeansIsNotDivided) {
    ASSERT_EQ(eval({"--reduce", "mean", "--rcond", "r.npy", "--error", "e.npy"}).status, 1);
    const auto r = read_npy<double>(folder_.path("r.npy"), {3});
    EXPECT_EQ(r[0], 0.5);
    const auto g = read_npy<double>(folder_.path("g.npy"), {3, 2, 2});
    EXPECT_DOUBLE_EQ(g[0], 0.25);  // 1/2, of two problems
}

TEST_F(EvalDiagnostics, TellsWhatJitterWasUsed) {
    const RunResult result = eval({"--jitter"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "matgrad: 1 of 3 problems have a jitter, of at most 1e-02\n");
    const auto s = read_npy<std::int32_t>(folder_.path("s.npy"), {3});
    EXPECT_EQ(s, (std::vector<std::int32_t>{0, 0, (6 << 24) + 2}));
    const auto v = read_npy<double>(folder_.path("v.npy"), {3});
    EXPECT_NEAR(v[2], std::log(1.01 * 1.01 - 1.004 * 1.004), 1e-12);
}

TEST_F(EvalDiagnostics, RefusesOneFileForTwoResults) {
    const RunResult result = eval({"--error", "v.npy"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("v.npy: two results go to this file"));
    EXPECT_THAT(eval({"--rcond", "S.npy"}).err, HasSubstr("S.npy: is the file of operand S"));
}

}  // namespace
}  // namespace matgrad::cli_test
