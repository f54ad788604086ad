// Every wrong call of `matgrad eval`: one line, exit status 2, and no file touched.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::map<std::string, std::string> snapshot(const std::string& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        files[entry.path().string()] =
            entry.is_regular_file() ? io_test::read_text(entry.path().string()) : "";
    }
    return files;
}

struct BadCall {
    const char* name;
    std::vector<std::string> arguments;  ///< after `eval`
    std::vector<const char*> mentions;
};

class EvalErrors : public ::testing::TestWithParam<BadCall> {
protected:
    EvalErrors() {
        const auto path = [this](const char* name) { return folder_.path(name); };
        write_npy(path("A.npy"), {5, 3}, numbers(15, 1));
        write_npy(path("x.npy"), {7, 3}, numbers(21, 2));
        write_npy(path("b.npy"), {7, 5}, numbers(35, 3));
        write_npy(path("b8.npy"), {8, 5}, numbers(40, 3));
        write_npy(path("b6.npy"), {7, 6}, numbers(42, 3));
        write_npy(path("bfloat.npy"), {7, 5}, numbers<float>(35, 3));
        write_npy(path("bint6.npy"), {7, 6}, std::vector<std::int32_t>(42));
        io_test::write_text(path("complex.npy"),
                            io_test::header_around("{'descr': '<c16', 'fortran_order': False, "
                                                   "'shape': (0,), }\n"));
        write_npy(path("column.npy"), {6, 1}, numbers(6, 3));
        write_npy(path("rank3.npy"), {7, 5, 2}, numbers(70, 3));
        write_npy(path("rank0.npy"), {}, numbers(1, 3));
        write_npy(path("huge.npy"), {std::int64_t{1} << 40, std::int64_t{1} << 40},
                  std::vector<double>());
        write_npy(path("wide.npy"), {4, 3}, numbers(12, 3));
        io_test::write_text(path("truncated.npy"),
                            io_test::read_text(path("b.npy")).substr(0, 200));
        io_test::write_text(path("longer.npy"), io_test::read_text(path("b.npy")) + "tail");
        io_test::write_text(path("corrupt.npy"), "\x93NUMPY but not really");
        io_test::write_text(path("empty.npy"), "");
        io_test::write_text(path("old.npy"), "an older result");
        std::filesystem::create_directory(path("folder"));
        std::filesystem::create_directory_symlink("folder", path("link"));
        std::filesystem::create_symlink("old.npy", path("old_link.npy"));
        std::filesystem::create_hard_link(path("old.npy"), path("old_twin.npy"));
        std::filesystem::create_symlink("b.npy", path("b_link.npy"));
    }

    io_test::TemporaryFolder folder_;
};

TEST_P(EvalErrors, AreOneLineAndTouchNoFile) {
    const auto before = snapshot(folder_.path(""));
    std::vector<std::string> arguments = GetParam().arguments;
    arguments.insert(arguments.begin(), "eval");
    RunOptions options;
    options.folder = folder_.path("");
    const RunResult result = run(arguments, options);
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, StartsWith("matgrad: "));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const char* part : GetParam().mentions) {
        EXPECT_THAT(result.err, HasSubstr(part));
    }
    EXPECT_EQ(snapshot(folder_.path("")), before);
}

/// Least squares with these operands, and results that must stay untouched.
BadCall with(const char* name, std::vector<std::string> operands,
             std::vector<const char*> mentions) {
    operands.insert(operands.begin(),
                    {"norm2(A*x-b)^2", "--wrt", "x", "--grad", "old.npy", "--value", "new.npy"});
    return {name, operands, std::move(mentions)};
}

/// The right operands, and other words.
BadCall also(const char* name, std::vector<std::string> words, std::vector<const char*> mentions) {
    words.insert(words.begin(), {"norm2(A*x-b)^2", "--wrt", "x", "A=A.npy", "x=x.npy", "b=b.npy"});
    return {name, words, std::move(mentions)};
}

std::string test_name(const ::testing::TestParamInfo<BadCall>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Cancelled, EvalErrors,
    ::testing::Values(
        BadCall{"Declared",
                {"sum(X0)+sum(X1-X1)", "--wrt", "X0", "--declare", "X1=m,n"},
                {"--declare X1=m,n: X1 cancels in sum(X0)+sum(X1-X1), which then has only X0"}},
        BadCall{"All",
                {"det(eye(n) - ones(n,n)/5 + A - A)", "--wrt", "A", "--declare", "A=n,n"},
                {"A cancels in det(eye(n) - ones(n,n)/5 + A - A), which then has no symbols"}},
        BadCall{"Wanted",
                {"sum(X)+sum(Y-Y)", "--wrt", "Y"},
                {"--wrt Y: Y cancels in sum(X)+sum(Y-Y), which then has only X"}}),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Operands, EvalErrors,
    ::testing::Values(
        with("Missing", {"A=A.npy", "x=x.npy"}, {"operand b is missing", "b=FILE.npy"}),
        with("Unused", {"A=A.npy", "x=x.npy", "b=b.npy", "C=A.npy"},
             {"operand C=A.npy is not used", "A, x, b"}),
        with("Twice", {"A=A.npy", "x=x.npy", "b=b.npy", "b=b8.npy"}, {"operand b is given twice"}),
        with("NoName", {"A=A.npy", "x=x.npy", "b.npy"}, {"'b.npy'", "NAME=FILE"}),
        with("NoFile", {"A=A.npy", "x=x.npy", "b="}, {"operand b"}),
        with("NumberForAVector", {"A=A.npy", "x=x.npy", "b=0.5"}, {"operand b", "0.5", "b=1"}),
        with("DifferentBatches", {"A=A.npy", "x=x.npy", "b=b8.npy"},
             {"b8.npy has 8 problems", "x.npy has 7"}),
        with("MixedTypes", {"A=A.npy", "x=x.npy", "b=bfloat.npy"},
             {"bfloat.npy is float32", "A.npy is float64", "--type float32"}),
        with("SizesThatDisagree", {"A=A.npy", "x=x.npy", "b=b6.npy"},
             {"operand b is 6-by-1", "operand A is 5-by-3"}),
        with("Column", {"A=A.npy", "x=x.npy", "b=column.npy"},
             {"operand b is 6-by-1", "operand A is 5-by-3"}),
        with("WrongRank", {"A=A.npy", "x=x.npy", "b=rank3.npy"},
             {"rank3.npy has the batch axes (7, 5)", "x.npy has (7,)"}),
        with("ScalarForAMatrix", {"A=rank0.npy", "x=x.npy", "b=b.npy"},
             {"rank0.npy is ()", "a matrix"})),
    test_name);

/// A scalar that is given this word.
BadCall scalar(const char* name, std::string word, std::vector<const char*> mentions) {
    return {
        name,
        {"t*sum(x)", "--wrt", "x", "--declare", "t=1", "x=x.npy", "t=" + word, "--grad", "new.npy"},
        std::move(mentions)};
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, EvalErrors,
    ::testing::Values(
        scalar("AboveDouble", "1e999", {"operand t", "1e999", "double's range"}),
        scalar("BelowDouble", "1e-400", {"operand t", "1e-400", "double's range"}),
        scalar("Hexadecimal", "0x5", {"operand t", "'0x5'", "in decimal"}),
        scalar("SpaceBefore", " 5", {"operand t", "' 5'", "in decimal"}),
        scalar("SpaceBehind", "5 ", {"operand t", "'5 '", "in decimal"}),
        scalar("TwoSigns", "+-5", {"operand t", "'+-5'", "in decimal"}),
        scalar("CommaForAPoint", "0,5", {"operand t", "'0,5'", "in decimal"}),
        scalar("Suffix", "5f", {"operand t", "'5f'", "in decimal"}),
        BadCall{"AboveFloat",
                {"t*sum(x)", "--wrt", "x", "--declare", "t=1", "x=bfloat.npy", "t=1e300"},
                {"operand t", "1e+300", "float32's range"}},
        BadCall{"BelowFloat",
                {"t*sum(x)", "--wrt", "x", "--declare", "t=1", "x=bfloat.npy", "t=-1e-60"},
                {"operand t", "-1e-60", "float32's range"}}),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    ResultPaths, EvalErrors,
    ::testing::Values(
        also("TwoSpellings", {"--grad", "new.npy", "--value", "./new.npy"},
             {"new.npy: two results go to this file (also ./new.npy)"}),
        also("ThroughAFolder", {"--grad", "new.npy", "--value", "folder/../new.npy"},
             {"two results", "new.npy"}),
        also("FoldersOfTwoNames", {"--grad", "folder/new.npy", "--status", "link/new.npy"},
             {"two results", "link/new.npy"}),
        also("LinkToAFile", {"--grad", "old.npy", "--value", "old_link.npy"}, {"two results"}),
        also("HardLink", {"--grad", "old.npy", "--value", "old_twin.npy"}, {"two results"}),
        also("LinkToAnOperand", {"--grad", "link/../b_link.npy"}, {"is the file of operand b"})),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Files, EvalErrors,
    ::testing::Values(
        with("AbsentFile", {"A=A.npy", "x=x.npy", "b=nowhere.npy"}, {"nowhere.npy"}),
        with("Directory", {"A=A.npy", "x=x.npy", "b=folder"}, {"folder", "directory"}),
        with("Device", {"A=A.npy", "x=x.npy", "b=/dev/null"}, {"/dev/null"}),
        with("Truncated", {"A=A.npy", "x=x.npy", "b=truncated.npy"}, {"truncated.npy", "280"}),
        with("TooLong", {"A=A.npy", "x=x.npy", "b=longer.npy"}, {"longer.npy", "284", "280"}),
        with("Corrupt", {"A=A.npy", "x=x.npy", "b=corrupt.npy"}, {"corrupt.npy"}),
        with("Empty", {"A=A.npy", "x=x.npy", "b=empty.npy"}, {"empty.npy"}),
        with("IntegersOfAnotherSize", {"A=A.npy", "x=x.npy", "b=bint6.npy"}, {"6-by-1"}),
        with("Complex", {"A=A.npy", "x=x.npy", "b=complex.npy"},
             {"complex.npy", ".real and .imag"}),
        with("SizeThatOverflows", {"A=huge.npy", "x=x.npy", "b=b.npy"}, {"huge.npy"})),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Results, EvalErrors,
    ::testing::Values(
        also("MissingFolder", {"--value", "nowhere/v.npy", "--grad", "old.npy"}, {"nowhere/v.npy"}),
        also("FolderAsResult", {"--value", "folder", "--grad", "old.npy"}, {"folder", "directory"}),
        also("EmptyResultPath", {"--value", ""}, {"cannot be written"}),
        also("OperandAsResult", {"--grad", "./x.npy"}, {"./x.npy", "operand x"}),
        also("TwoResultsInOneFile", {"--grad", "old.npy", "--value", "./old.npy"},
             {"old.npy", "two results"}),
        also("StatusOverResult", {"--grad", "g.npy", "--status", "g.npy"},
             {"g.npy", "two results"}),
        also("GradientOfNoVariable", {"--grad", "A=g.npy"}, {"A=g.npy", "x"}),
        also("GradientOfWhich", {"--wrt", "A", "--grad", "g.npy"}, {"g.npy", "x, A"}),
        also("GradientTwice", {"--grad", "g.npy", "--grad", "x=h.npy"}, {"x", "g.npy"}),
        also("GradientNowhere", {"--grad", "x="}, {"x="}),
        also("HvpOutAlone", {"--hvp-out", "h.npy"}, {"--hvp-out h.npy", "--hvp"}),
        also("HvpOfTwoVariables", {"--wrt", "A", "--hvp", "V=x.npy"}, {"--hvp", "2 variables"}),
        also("HvpAlongASymbol", {"--hvp", "A=x.npy"}, {"--hvp", "A is a symbol"}),
        also("HvpWithoutName", {"--hvp", "x.npy"}, {"--hvp", "V=V.npy"}),
        also("HvpMissingFile", {"--hvp", "V=nowhere.npy"}, {"nowhere.npy"})),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Options, EvalErrors,
    ::testing::Values(
        also("EntryOutside", {"--entry", "3,0", "--grad", "old.npy"}, {"entry 3,0", "3-by-1"}),
        also("EntryNegative", {"--entry=-1,0", "--grad", "old.npy"}, {"entry -1,0"}),
        also("EntryNoPair", {"--entry", "3", "--grad", "old.npy"}, {"--entry", "'3'", "i,j"}),
        also("EntryNoNumber", {"--entry", "1,x", "--grad", "old.npy"}, {"--entry", "'x'"}),
        also("EntryWithoutGradient", {"--entry", "1,0", "--value", "old.npy"}, {"--entry"}),
        also("UnknownReduction", {"--reduce", "max"}, {"--reduce", "none, sum, mean"}),
        also("UnknownAccuracy", {"--accuracy", "best"}, {"--accuracy", "robust, fast"}),
        also("NoThreads", {"--threads", "0"}, {"--threads", "found 0"}),
        also("ThreadsNoNumber", {"--threads", "two"}, {"--threads", "'two'"}),
        also("NoMemory", {"--memory", "0"}, {"--memory", "found 0"}),
        also("MemoryOverflow", {"--memory", "99999999999999999999G"}, {"--memory"}),
        also("UnknownDevice", {"--device", "tpu"}, {"--device 'tpu'", "cuda:all"}),
        also("DeviceNumber", {"--device", "cuda:-1"}, {"--device 'cuda:-1'", "k from 0"}),
        also("NoDeviceMemory", {"--device-memory", "0"}, {"--device-memory", "found 0"}),
        also("DeviceMemoryUnit", {"--device-memory", "4T"}, {"--device-memory", "'4T'"}),
        also("LibraryOnTheProcessor", {"--executor", "library", "--device", "cpu"},
             {"--executor library", "--device cpu"}),
        also("FusedOnTheProcessor", {"--executor", "fused", "--device", "cpu"},
             {"--executor fused", "--device cpu"}),
        also("UnknownExecutor", {"--executor", "magic"}, {"--executor", "auto, library, fused"}),
        also("UnknownOption", {"--gard", "g.npy"}, {"--gard"})),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Functions, EvalErrors,
    ::testing::Values(
        BadCall{"NoExpression", {}, {"expression is missing"}},
        BadCall{"NotScalar", {"A*x", "--wrt", "x", "A=A.npy", "x=x.npy"}, {"A*x", "scalar"}},
        BadCall{"VariableAbsent",
                {"sum(A)", "--wrt", "x", "A=A.npy", "--grad", "old.npy"},
                {"--wrt x", "A"}},
        BadCall{"GradientWithoutVariable",
                {"sum(A)", "A=A.npy", "--grad", "old.npy"},
                {"--wrt is missing"}},
        BadCall{"NotSquare",
                {"logdet(A)", "--wrt", "A", "A=A.npy", "--grad", "old.npy"},
                {"operand A is 5-by-3", "square"}},
        BadCall{"DeclaredSize",
                {"sum(A)", "--wrt", "A", "--declare", "A=4,3", "A=A.npy", "--grad", "old.npy"},
                {"operand A is 5-by-3", "4-by-3"}}),
    test_name);

TEST(EvalMessages, ShowATerminalNoControlBytes) {
    const io_test::TemporaryFolder folder;
    RunOptions options;
    options.folder = folder.path("");
    const std::string name = "\x1b[31m\x07red\n\x7f\xc2\x9b\xff\xc3\xa9.npy";
    const std::string shown = "\\x1b[31m\\x07red\\n\\x7f\\xc2\\x9b\\xff\xc3\xa9.npy";
    const auto err = [&](std::vector<std::string> words) { return run(words, options).err; };
    EXPECT_EQ(err({"eval", "sum(x)", "--wrt", "x", "x=" + name}),
              "matgrad: " + shown + ": No such file or directory\n");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"bench", "--suite", name},
          {"bench", "--filter", name},
          {name},
          {"check", "sum(x)", "--wrt", name},
          {"derive", "sum(x)", "--wrt", "x", "--declare", name},
          {"derive", "sum(x) " + name, "--wrt", "x"}}) {
        const std::string text = err(words);
        EXPECT_EQ(std::count_if(text.begin(), text.end(),
                                [](char c) {
                                    const auto byte = static_cast<unsigned char>(c);
                                    return (byte < 0x20 && c != '\n') || byte == 0x7f ||
                                           byte == 0xff || byte == 0x9b;
                                }),
                  0)
            << text;
    }
}

}  // namespace
}  // namespace matgrad::cli_test
