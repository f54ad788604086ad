// The command with the simulated GPU in it: `eval --device cuda` agrees with `--device cpu`.
//
// Operands are [I; 0] + E with entries of E below 1/(4*max(rows, cols)) in size, so that singular values
// lie within 3/4 and 5/4 and Gram matrices have condition numbers below 3; vectors have norms about 1.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"
#include "matgrad/status.hpp"
#include "support/test_data.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kBatch = 9;
const std::map<std::string, std::int64_t> kSizes{{"m", 7}, {"n", 5}, {"p", 6}, {"q", 4}};

/// A function of the table of the Matrix Cookbook, by its equation's number.
struct Row {
    std::string f;
    std::string wrt;
    std::vector<std::string> declarations;
};

Row cookbook_row(const std::string& equation) {
    std::ifstream table(test_data("cookbook.tsv"));
    for (std::string line; std::getline(table, line);) {
        std::istringstream parts(line);
        std::string number, gradient, declarations;
        Row row;
        std::getline(parts, number, '\t');
        std::getline(parts, row.f, '\t');
        std::getline(parts, row.wrt, '\t');
        std::getline(parts, gradient, '\t');
        std::getline(parts, declarations, '\t');
        if (number == equation) {
            std::istringstream words(declarations);
            for (std::string word; words >> word;) {
                row.declarations.push_back(word);
            }
            return row;
        }
    }
    ADD_FAILURE() << "the table has no equation " << equation;
    return {};
}

/// `X=m,n:sym` read.
struct Declared {
    std::string name;
    std::int64_t rows = 1, cols = 1;
    bool is_vector = true;
    bool is_symmetric = false;
};

Declared read(const std::string& word) {
    Declared result;
    result.name = word.substr(0, word.find('='));
    const std::string shape = word.substr(word.find('=') + 1);
    result.rows = kSizes.at(shape.substr(0, 1));
    if (shape.size() > 1 && shape[1] == ',') {
        result.cols = kSizes.at(shape.substr(2, 1));
        result.is_vector = false;
    }
    result.is_symmetric = shape.find(":sym") != std::string::npos;
    return result;
}

/// The data of one problem, as the top of this file says.
std::vector<double> problem(const Declared& what, std::uint64_t seed) {
    std::vector<double> data = numbers(what.rows * what.cols, seed);
    const double size = static_cast<double>(std::max(what.rows, what.cols));
    for (std::int64_t i = 0; i < what.rows; ++i) {
        for (std::int64_t j = 0; j < what.cols; ++j) {
            double& x = data[static_cast<std::size_t>(i * what.cols + j)];
            if (what.is_vector) {
                x = std::copysign(0.2 + 0.3 * std::abs(x), x);
            } else if (what.is_symmetric && i > j) {
                x = data[static_cast<std::size_t>(j * what.cols + i)];
            } else {
                x = x / (4 * size) + (i == j ? 1 : 0);
            }
        }
    }
    return data;
}

template <typename T>
void write_operand(const std::string& path, const Declared& what, bool batched,
                   std::uint64_t seed) {
    std::vector<T> data;
    for (std::int64_t k = 0; k < (batched ? kBatch : 1); ++k) {
        const std::vector<double> each = problem(what, seed + 100 * static_cast<std::uint64_t>(k));
        data.insert(data.end(), each.begin(), each.end());
    }
    std::vector<std::int64_t> shape{what.rows};
    if (!what.is_vector) {
        shape.push_back(what.cols);
    }
    if (batched) {
        shape.insert(shape.begin(), kBatch);
    }
    write_npy(path, shape, data);
}

/// Header and data of a file.
template <typename T>
struct Array {
    std::string header;
    std::vector<T> data;
};

template <typename T>
Array<T> load(const std::string& path) {
    const std::string bytes = io_test::read_text(path);
    Array<T> array;
    if (bytes.size() < 10) {
        ADD_FAILURE() << path << " has " << bytes.size() << " bytes";
        return array;
    }
    const std::size_t length =
        10 + static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
    array.header = bytes.substr(0, length);
    array.data.resize((bytes.size() - length) / sizeof(T));
    if (!array.data.empty()) {
        std::memcpy(array.data.data(), bytes.data() + length, array.data.size() * sizeof(T));
    }
    return array;
}

/// Both sides are off by at most ten products of operands of norm 5/4 (growth 5/4^8 < 6), each rounded
/// n times, times the condition number 3 of what is factored.
template <typename T>
void expect_agreement(const std::string& cpu, const std::string& gpu) {
    const Array<T> expected = load<T>(cpu);
    const Array<T> found = load<T>(gpu);
    ASSERT_EQ(found.header, expected.header) << gpu;
    double scale = 1;
    for (const T x : expected.data) {
        scale = std::isnan(x) ? scale : std::max(scale, std::abs(static_cast<double>(x)));
    }
    const double n = 7;
    const double bound = 2 * 10 * 6 * 3 * n * double{std::numeric_limits<T>::epsilon()} * scale;
    for (std::size_t i = 0; i < expected.data.size(); ++i) {
        const double a = expected.data[i];
        const double b = found.data[i];
        ASSERT_EQ(std::isnan(a), std::isnan(b)) << gpu << " entry " << i;
        ASSERT_TRUE(std::isnan(a) || std::abs(a - b) <= bound)
            << gpu << " entry " << i << ": " << b << " instead of " << a << ", bound " << bound;
    }
}

/// Sets a variable of the environment of the commands that are run while it lives.
class Environment {
public:
    Environment(const char* name, const std::string& value) : name_(name) {
        ::setenv(name, value.c_str(), 1);
    }
    ~Environment() { ::unsetenv(name_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    const char* name_;
};

class OnSimulatedGpu : public ::testing::Test {
protected:
    /// `eval` with its results in files that are named after the device; they are asked for by the
    /// names of their options, `--grad` and so on.
    RunResult eval(const std::string& device, std::vector<std::string> arguments,
                   const std::vector<std::string>& results) {
        arguments.insert(arguments.begin(), "eval");
        for (const std::string& option : results) {
            arguments.insert(arguments.end(), {option, path(device, option)});
        }
        arguments.insert(arguments.end(), {"--device", device});
        return run(arguments);
    }
    [[nodiscard]] std::string path(const std::string& device, const std::string& option) const {
        return folder_.path(device + option + ".npy");
    }

    /// Both devices end alike, and their results agree.
    template <typename T>
    void compare(const std::vector<std::string>& arguments, const std::vector<std::string>& results,
                 int status = 0, const std::string& device = "cuda") {
        const RunResult on_cpu = eval("cpu", arguments, results);
        const RunResult on_gpu = eval(device, arguments, results);
        ASSERT_EQ(on_cpu.status, status) << on_cpu.err;
        ASSERT_EQ(on_gpu.status, status) << on_gpu.err;
        EXPECT_EQ(on_gpu.err, on_cpu.err);
        for (const std::string& option : results) {
            if (option == "--status") {
                EXPECT_EQ(load<std::int32_t>(path(device, option)).data,
                          load<std::int32_t>(path("cpu", option)).data);
            } else {
                expect_agreement<T>(path("cpu", option), path(device, option));
            }
        }
    }

    enum class Shared { none, but_the_variable, all };

    /// The words of an eval of this row, its operands in files.
    template <typename T>
    std::vector<std::string> words(const Row& row, Shared shared) {
        std::vector<std::string> result{row.f, "--wrt", row.wrt};
        std::uint64_t seed = 1;
        for (const std::string& declaration : row.declarations) {
            const Declared what = read(declaration);
            const bool batched = shared == Shared::none ||
                                 (shared == Shared::but_the_variable && what.name == row.wrt);
            const std::string file = folder_.path(what.name + ".npy");
            write_operand<T>(file, what, batched, seed++);
            result.insert(result.end(), {"--declare", declaration, what.name + "=" + file});
        }
        return result;
    }

    template <typename T>
    void compare_row(const Row& row, Shared shared) {
        std::vector<std::string> arguments = words<T>(row, shared);
        arguments.emplace_back("--check");
        compare<T>(arguments, {"--value", "--grad"});
    }

    io_test::TemporaryFolder folder_;
};

class FourFunctions : public OnSimulatedGpu, public ::testing::WithParamInterface<const char*> {};

TEST_P(FourFunctions, AgreeInEachTypeSharedAndBatched) {
    const Row row = cookbook_row(GetParam());
    for (const Shared shared : {Shared::none, Shared::but_the_variable, Shared::all}) {
        compare_row<double>(row, shared);
        compare_row<float>(row, shared);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FourFunctions,
                         ::testing::Values("seed-1", "seed-2", "seed-3", "seed-4"));

class CookbookRows : public OnSimulatedGpu, public ::testing::WithParamInterface<const char*> {};

TEST_P(CookbookRows, AgreeSharedAndBatched) {
    const Row row = cookbook_row(GetParam());
    compare_row<double>(row, Shared::none);
    compare_row<float>(row, Shared::but_the_variable);
}

// Determinants, inverses of general and of symmetric matrices, powers, vectors, quotients.
INSTANTIATE_TEST_SUITE_P(Equations, CookbookRows,
                         ::testing::Values("49", "53", "54", "61", "63", "70", "78", "84", "94",
                                           "119", "122", "125", "127"));

TEST_F(OnSimulatedGpu, SumsAndMeansAgree) {
    const Row row = cookbook_row("seed-2");
    for (const char* how : {"sum", "mean"}) {
        std::vector<std::string> arguments = words<float>(row, Shared::none);
        arguments.insert(arguments.end(), {"--reduce", how, "--check"});
        compare<float>(arguments, {"--value", "--grad"});
    }
}

TEST_F(OnSimulatedGpu, OneEntryOfTheGradientAgrees) {
    std::vector<std::string> arguments = words<double>(cookbook_row("seed-4"), Shared::none);
    arguments.insert(arguments.end(), {"--entry", "6,4", "--check"});
    compare<double>(arguments, {"--grad"});
    arguments = words<double>(cookbook_row("seed-1"), Shared::but_the_variable);
    arguments.insert(arguments.end(), {"--entry", "0,2", "--check"});
    compare<double>(arguments, {"--grad"});
}

TEST_F(OnSimulatedGpu, HessianVectorProductsAgree) {
    const Row row = cookbook_row("seed-4");
    write_operand<double>(folder_.path("V.npy"), {"V", 7, 5, false, false}, true, 50);
    std::vector<std::string> arguments = words<double>(row, Shared::none);
    arguments.insert(arguments.end(), {"--hvp", "V=" + folder_.path("V.npy"), "--check"});
    compare<double>(arguments, {"--value", "--grad", "--hvp-out"});
}

/// Problems 2 and 6 have a column of zeros, the last one a NaN.
class FailingProblems : public OnSimulatedGpu {
protected:
    template <typename T>
    std::vector<std::string> failing() {
        const Declared what{"X", 7, 5, false, false};
        std::vector<T> data;
        for (std::uint64_t k = 0; k < kBatch; ++k) {
            std::vector<double> each = problem(what, 1 + 100 * k);
            for (std::size_t i = 0; i < 7 && (k == 2 || k == 6); ++i) {
                each[5 * i + (k == 2 ? 0 : 3)] = 0;
            }
            if (k == kBatch - 1) {
                each[5 + 2] = std::nan("");
            }
            data.insert(data.end(), each.begin(), each.end());
        }
        write_npy(folder_.path("X.npy"), {kBatch, 7, 5}, data);
        return {"logdet(X'*X)", "--wrt", "X", "X=" + folder_.path("X.npy")};
    }
};

TEST_F(FailingProblems, HaveTheSameStatusAndLeaveTheOthersAlone) {
    compare<double>(failing<double>(), {"--value", "--grad", "--status"}, 1);
    EXPECT_EQ(load<std::int32_t>(path("cuda", "--status")).data,
              (std::vector<std::int32_t>{0, 0, make_status(StatusKind::not_positive, 1), 0, 0, 0,
                                         make_status(StatusKind::not_positive, 4), 0,
                                         make_status(StatusKind::not_finite, 3)}));
    compare<float>(failing<float>(), {"--value", "--grad", "--status"}, 1);
}

TEST_F(FailingProblems, AreNotInSumsAndMeans) {
    for (const char* how : {"sum", "mean"}) {
        std::vector<std::string> arguments = failing<double>();
        arguments.insert(arguments.end(), {"--reduce", how});
        compare<double>(arguments, {"--value", "--grad", "--status"}, 1);
    }
}

/// A batch larger than what may be taken of the device: problems of 8 KiB each way.
class LargeBatch : public OnSimulatedGpu {
protected:
    [[nodiscard]] std::vector<std::string> large() {
        write_npy(folder_.path("X.npy"), {kProblems, 64, 16}, numbers(kProblems * 64 * 16, 3));
        return {"logdet(X'*X)", "--wrt", "X", "X=" + folder_.path("X.npy")};
    }
    /// Bit for bit: a problem's result does not depend on its chunk or its device.
    void expect_equal(const std::string& device) {
        for (const char* option : {"--value", "--grad"}) {
            const Array<double> whole = load<double>(path("cuda", option));
            const Array<double> parts = load<double>(path(device, option));
            EXPECT_EQ(whole.header, parts.header);
            EXPECT_TRUE(whole.data == parts.data) << option << " on " << device;
        }
    }

    static constexpr std::int64_t kProblems = 600;
    // The libraries' own workspace takes 32 MiB.
    static constexpr const char* kLittle = "34M";
};

TEST_F(LargeBatch, RunsInChunksWithinTheMemoryItMayTake) {
    std::vector<std::string> arguments = large();
    compare<double>(arguments, {"--value", "--grad"});
    // That the bound is kept shows on a device that has no more.
    const Environment memory("MATGRAD_SIMULATED_MEMORY", std::to_string(34 << 20));
    arguments.insert(arguments.end(), {"--device-memory", kLittle});
    const RunResult result = eval("cuda:0", arguments, {"--value", "--grad"});
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    expect_equal("cuda:0");
}

TEST_F(LargeBatch, IsSharedByAllDevicesInAnyOrderOfTheirWork) {
    std::vector<std::string> arguments = large();
    ASSERT_EQ(eval("cuda", arguments, {"--value", "--grad"}).status, 0);
    const Environment devices("MATGRAD_SIMULATED_DEVICES", "2");
    arguments.insert(arguments.end(), {"--device-memory", kLittle});
    for (const char* seed : {"1", "2", "3"}) {
        const Environment order("MATGRAD_SIMULATED_SEED", seed);
        const RunResult result = eval("cuda:all", arguments, {"--value", "--grad"});
        ASSERT_EQ(result.status, 0) << result.err;
        expect_equal("cuda:all");
    }
}

TEST_F(LargeBatch, IsAFailureWhereNotOneProblemFits) {
    // A fused kernel has no workspace beside its operands and results.
    for (const auto& [executor, memory, bytes] :
         {std::tuple("library", "1M", "1048576"), std::tuple("fused", "4K", "4096")}) {
        std::vector<std::string> arguments = large();
        arguments.insert(arguments.end(), {"--device-memory", memory, "--executor", executor});
        const RunResult result = eval("cuda", arguments, {"--grad"});
        EXPECT_EQ(result.status, 3);
        EXPECT_THAT(result.err, HasSubstr("cuda:0 has too little memory: one problem takes "));
        EXPECT_THAT(result.err, HasSubstr(std::string("and ") + bytes + " may be used"));
    }
}

TEST_F(OnSimulatedGpu, EmptyBatchesGiveEmptyResultsAndSumsOfNothing) {
    write_npy(folder_.path("X.npy"), {0, 7, 5}, std::vector<double>());
    const std::vector<std::string> arguments{"logdet(X'*X)", "--wrt", "X",
                                             "X=" + folder_.path("X.npy")};
    compare<double>(arguments, {"--value", "--grad", "--status"});
    std::vector<std::string> reduced = arguments;
    reduced.insert(reduced.end(), {"--reduce", "sum"});
    compare<double>(reduced, {"--value", "--grad"});
}

TEST_F(OnSimulatedGpu, ExplainNamesTheDeviceAndItsCalls) {
    std::vector<std::string> arguments = words<double>(cookbook_row("seed-4"), Shared::none);
    arguments.emplace_back("--explain");
    const RunResult result = eval("cuda", arguments, {"--grad"});
    EXPECT_THAT(result.out, HasSubstr("cuda:0 (Simulated GPU)"));
    EXPECT_THAT(result.out, HasSubstr("potrf"));
}

TEST_F(OnSimulatedGpu, DevicesAreListed) {
    const Environment devices("MATGRAD_SIMULATED_DEVICES", "2");
    const Environment memory("MATGRAD_SIMULATED_MEMORY", std::to_string(std::int64_t{3} << 30));
    const RunResult result = run({"devices"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    std::istringstream lines(result.out);
    std::string line;
    std::getline(lines, line);
    EXPECT_THAT(line, StartsWith("cpu "));
    for (const char* name : {"cuda:0  ", "cuda:1  "}) {
        std::getline(lines, line);
        EXPECT_THAT(line, StartsWith(std::string(name) + "Simulated GPU, 3.0 GiB of memory, "));
        EXPECT_THAT(line, HasSubstr("3.0 GiB free, compute capability 9.0, "));
        EXPECT_THAT(line, ::testing::EndsWith(" multiprocessors"));
    }
    EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST_F(OnSimulatedGpu, MissingDevicesAreAMistakeOrAFailure) {
    const RunResult beyond = run({"check", "@log_det_gram", "--device", "cuda:4"});
    EXPECT_EQ(beyond.status, 2);
    EXPECT_THAT(beyond.err, HasSubstr("cuda:4 does not exist: expected an index below 1"));
    const Environment none("MATGRAD_SIMULATED_DEVICES", "0");
    const RunResult list = run({"devices"});
    EXPECT_EQ(list.status, 0);
    EXPECT_THAT(list.out, HasSubstr("cuda  none: the NVIDIA driver finds no device"));
    for (const char* device : {"cuda", "cuda:all"}) {
        const RunResult result = run({"check", "@log_det_gram", "--device", device});
        EXPECT_EQ(result.status, 3);
        EXPECT_EQ(result.err, "matgrad: the NVIDIA driver finds no device\n");
    }
    EXPECT_EQ(run({"check", "@log_det_gram", "--batch", "2", "--device", "auto"}).status, 0);
}

TEST_F(OnSimulatedGpu, ChecksPassInBothTypesAndWithTf32) {
    for (const char* option : {"--tf32", "--executor=library"}) {
        const RunResult result =
            run({"check", "@frobenius", "--batch", "3", "--device", "cuda", option});
        EXPECT_EQ(result.status, 0) << result.out << result.err;
        EXPECT_THAT(result.out, HasSubstr("float64 on cuda:0  3 problems"));
        EXPECT_THAT(result.out, HasSubstr("float32 on cuda:0  3 problems"));
    }
}

TEST_F(OnSimulatedGpu, Tf32IsUsedWhereItIsAskedForAlone) {
    std::vector<std::string> arguments = words<float>(cookbook_row("seed-1"), Shared::none);
    arguments.insert(arguments.end(), {"--executor", "library"});
    ASSERT_EQ(eval("cuda", arguments, {"--grad"}).status, 0);
    const std::vector<float> exact = load<float>(path("cuda", "--grad")).data;
    std::vector<std::string> rounded = arguments;
    rounded.emplace_back("--tf32");
    ASSERT_EQ(eval("cuda", rounded, {"--grad"}).status, 0);
    const std::vector<float> found = load<float>(path("cuda", "--grad")).data;
    double most = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        most = std::max(most, std::abs(double{exact[i]} - double{found[i]}));
    }
    // X*A'*A with entries below 5/4: some factor of 10 bits shows, and none is off by more than 2^-11
    // of itself in a sum of seven products, twice.
    EXPECT_GT(most, 1e-6);
    EXPECT_LT(most, 2 * 7 * 2 * 0x1p-11 * 2);
}

}  // namespace
}  // namespace matgrad::cli_test
