// `matgrad kernel` with the real module: NVRTC compiles, and no GPU is asked for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "cli/command_runner.hpp"
#include "io/files.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> kernel(const std::string& text, const std::vector<std::string>& more) {
    std::vector<std::string> words{"kernel", text, "--wrt", "X"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

const std::vector<std::string> kTall{"--dims", "m=64,n=16", "--type", "float32"};

/// The numbers that a pattern finds in a text.
std::vector<double> numbers(const std::string& text, const std::string& pattern) {
    std::smatch match;
    std::vector<double> found;
    if (std::regex_search(text, match, std::regex(pattern))) {
        for (std::size_t i = 1; i < match.size(); ++i) {
            found.push_back(std::stod(match[i]));
        }
    }
    return found;
}

TEST(KernelCommand, PrintsTheSourceAsItIsCompiled) {
    const RunResult result = run(kernel("logdet(X'*X)", kTall));
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, StartsWith("#include \"fused.cuh\"\n"));
    EXPECT_THAT(result.out, HasSubstr("MATGRAD_KERNEL(fused_0, FusedArgs<3>, 128) {"));
    EXPECT_THAT(result.out, HasSubstr("        // L = potrf(G, X)\n"));
    EXPECT_THAT(result.out, Not(HasSubstr("fused_#")));
}

TEST(KernelCommand, SaysWhatTheKernelTakesOfEachArchitecture) {
    for (const std::string architecture : {"sm_80", "sm_90", "sm_100"}) {
        std::vector<std::string> more = kTall;
        more.insert(more.end(), {"--arch", architecture});
        const std::string out = run(kernel("logdet(X'*X)", more)).out;
        EXPECT_THAT(out, HasSubstr("\nfused         5 of 5 steps of the Program\n"));
        EXPECT_THAT(out,
                    HasSubstr("\nteam          32 threads to a problem (a warp), 4 problems to "
                              "a block of 128 threads\n"));
        const std::vector<double> memory =
            numbers(out, "\nblock memory  (\\d+) bytes dynamic, (\\d+) static, of (\\d+) that " +
                             architecture + " gives a block\n");
        ASSERT_EQ(memory.size(), 3U) << out;
        EXPECT_EQ(memory[2], (architecture == "sm_80" ? 163 : 227) * 1024);
        const std::vector<double> registers = numbers(
            out,
            "\nregisters     (\\d+) a thread; (\\d+) bytes of stack; spills: 0 bytes stored, 0 "
            "loaded\n");
        ASSERT_EQ(registers.size(), 2U) << out;
        EXPECT_GT(registers[0], 15);
        EXPECT_LT(registers[0], 256);
        const std::vector<double> occupancy =
            numbers(out,
                    "\noccupancy     (\\d+) blocks? of a multiprocessor at once, (\\d+) of its "
                    "64 warps");
        ASSERT_EQ(occupancy.size(), 2U) << out;
        EXPECT_EQ(occupancy[1], 4 * occupancy[0]);
        EXPECT_LE(occupancy[0] * (memory[0] + memory[1] + 1024),
                  (architecture == "sm_80" ? 164 : 228) * 1024);
    }
}

TEST(KernelCommand, BoundsTheTimeByEachInputAndResultOnce) {
    // 64x16 floats read; the value, as many floats and the status written.
    constexpr double kBytes = 4 * (64 * 16 + 1 + 64 * 16 + 1);
    constexpr double kProblems = 122070;
    std::vector<std::string> more = kTall;
    more.insert(more.end(), {"--batch", "122070"});
    const std::string out = run(kernel("logdet(X'*X)", more)).out;
    EXPECT_THAT(out, HasSubstr("\nbytes         4096 read and 4104 written for each problem"));
    const std::vector<double> work =
        numbers(out, "\noperations    (\\d+) in float and (\\d+) in double for each problem\n");
    ASSERT_EQ(work.size(), 2U) << out;
    EXPECT_EQ(work[0], 0);  // robust: all that leads to the factor and comes from it
    // syrk of one triangle, potrf, two trsm.
    constexpr double kLeast = 64.0 * 16 * 17 + 16.0 * 16 * 16 / 3 + 2 * 64.0 * 16 * 16;
    EXPECT_GT(work[1], kLeast * 0.9);
    EXPECT_LT(work[1], kLeast * 2);
    const std::vector<double> bound =
        numbers(out,
                "\nbound         122070 problems on an H100: at least ([0-9.]+) us \\(([0-9.]+) "
                "for the bytes, ([0-9.]+) for the operations\\)\n");
    ASSERT_EQ(bound.size(), 3U) << out;
    EXPECT_NEAR(bound[1], 1e6 * kProblems * kBytes / 3.35e12, 0.1);
    EXPECT_NEAR(bound[2], 1e6 * kProblems * work[1] / 34e12, 0.1);
    EXPECT_EQ(bound[0], std::max(bound[1], bound[2]));
    EXPECT_THAT(out, HasSubstr("A bound, not a prediction\n"));
}

TEST(KernelCommand, CountsWhatIsSharedOnce) {
    const std::string out =
        run(kernel("norm2(X*A')^2", {"--dims", "m=8,n=6,p=5", "--declare", "X=m,n", "--declare",
                                     "A=p,n", "--shared", "A"}))
            .out;
    EXPECT_THAT(out, HasSubstr("bytes are shared by all, read once by each block\n"));
    EXPECT_THAT(out, HasSubstr(std::to_string(8 * 8 * 6) + " read and " +
                               std::to_string(8 * (8 * 6 + 1) + 4) + " written"));
}

TEST(KernelCommand, RefusesWrongCallsInOneLine) {
    struct Row {
        std::vector<std::string> words;
        std::string complaint;
    };
    const Row rows[] = {
        {kernel("logdet(X'*X)", {}), "--dims: m has no size, expected --dims m=SIZE,n=SIZE"},
        {kernel("logdet(X'*X)", {"--dims", "m=6"}), "--dims: n has no size"},
        {kernel("logdet(X'*X)", {"--dims", "m=6,n=3,k=2"}), "--dims: no dimension is named k"},
        {kernel("logdet(X'*X)", {"--dims", "m=6,n=3", "--shared", "B"}),
         "--shared B: no symbol of logdet(X'*X) has this name"},
        {kernel("logdet(X'*X)", {"--dims", "m=6,n=3", "--arch", "sm_75"}),
         "--arch: found 'sm_75', expected one of sm_80, sm_90, sm_100"},
        {{"kernel", "logdet(X'*X)", "--dims", "m=6,n=3"}, "--wrt is missing"}};
    for (const Row& row : rows) {
        const RunResult result = run(row.words);
        EXPECT_EQ(result.status, 2) << row.complaint;
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(result.err, HasSubstr(row.complaint));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
}

TEST(KernelCommand, SaysWhyThereIsNoKernel) {
    const RunResult large = run(kernel("logdet(X'*X)", {"--dims", "m=600,n=400"}));
    EXPECT_EQ(large.status, 1);
    EXPECT_EQ(large.out, "");
    EXPECT_THAT(large.err, StartsWith("matgrad: no fused kernel: a problem takes "));
    EXPECT_THAT(large.err, HasSubstr(" bytes on chip, of which a block has "));
    const RunResult shared = run(kernel("logdet(X'*X)", {"--dims", "m=6,n=3", "--shared", "X"}));
    EXPECT_EQ(shared.status, 1);
    EXPECT_EQ(shared.err, "matgrad: no fused kernel: no step is done for each problem\n");
}

TEST(Standalone, IsOneFileWithoutTheHeadersOfMatgrad) {
    const io_test::TemporaryFolder folder;
    std::vector<std::string> more = kTall;
    more.insert(more.end(), {"--standalone", folder.path("k.cu")});
    const RunResult result = run(kernel("logdet(X'*X)", more));
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, StartsWith("fused         5 of 5 steps"));
    const std::string text = io_test::read_text(folder.path("k.cu"));
    EXPECT_THAT(text, Not(HasSubstr("#include \"")));
    EXPECT_THAT(text, Not(HasSubstr("#pragma once")));
    EXPECT_THAT(text, HasSubstr("\nMATGRAD_KERNEL(fused_0, FusedArgs<3>, 128) {"));
    EXPECT_THAT(text, HasSubstr("\nint main(int argc, char** argv) {"));
    const std::string head = "// ---- device.cuh\n";
    const std::size_t at = text.find(head);
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(text.find(head, at + 1), std::string::npos);
}

TEST(Standalone, IsRefusedWhereTheKernelIsNotAll) {
    const io_test::TemporaryFolder folder;
    struct Row {
        std::vector<std::string> words;
        std::string reason;
    };
    const Row rows[] = {
        {kernel("tr(X*inv(A)*X')", {"--dims", "m=6,n=3", "--declare", "X=m,n", "--declare",
                                    "A=n,n:spd", "--shared", "A"}),
         "the kernel does not do all: "},
        {kernel("tr(A*X)", {"--dims", "n=3", "--declare", "X=n,n", "--declare", "A=n,n"}),
         "the kernel does not do all: gradient X is an operand, A"}};
    for (Row row : rows) {
        row.words.insert(row.words.end(), {"--standalone", folder.path("k.cu")});
        const RunResult result = run(row.words);
        EXPECT_EQ(result.status, 1) << row.reason;
        EXPECT_THAT(result.err, StartsWith("matgrad: --standalone: " + row.reason));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
        EXPECT_EQ(io_test::read_text(folder.path("k.cu")), "");
    }
}

}  // namespace
}  // namespace matgrad::cli_test
