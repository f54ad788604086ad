#pragma once
/// \file The executors that the tests of this folder hold to their claims: those of the program the
/// tests are linked into.

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "executors/build_program.hpp"

namespace matgrad::test {

struct RunResult {
    RunSummary summary;
    std::vector<std::int32_t> status;
};

/// What a call asks for beside its batch: as in HostCall and DeviceCall.
struct CallWishes {
    std::vector<double> beta;
    std::vector<std::int64_t> rows;
};

/// Runs the program. Operands and results are addressed as the Matrices are, in the memory of the
/// executor, guards and all; the workspace is filled with NaN first and has guards at its end. What
/// is written outside results and workspace fails the test.
///
/// `threads`  host threads that share the work, where the executor shares it among any. The results
///            of a repeated call are the same bits, whatever it is.
using RunProgram = std::function<RunResult(
    const Program& program, std::int64_t batch, const std::vector<const Matrices*>& operands,
    const std::vector<Matrices*>& results, int threads, const CallWishes& wishes)>;

/// What an executor does not promise where a library computes for it, and chooses how. Everything
/// else holds of every executor.
struct Latitude {
    /// Results of a problem may differ in their last digits with the length of the batch: a library
    /// chooses its kernel by it. They never depend on what the neighbours hold.
    bool batch_length = false;
    /// A search for the largest pivot may pass over NaN, so an LU with NaN fails at that pivot or a
    /// later one. (A Cholesky does not search.)
    bool passes_over_nan = false;
    /// Triangles are solved by inverted diagonal blocks: the residual of T X = B is bounded by
    /// |T||T^-1||T||X| in place of |T||X| (Du Croz and Higham, Stability of methods for matrix
    /// inversion, 1992), and so are the factors that blocked algorithms make by such solves.
    bool inverted_blocks = false;
    /// Pivots are kept as the library wants them: solves and determinants read them, nothing else.
    bool own_pivots = false;
};

struct ExecutorUnderTest {
    std::string name;  ///< also of tests: letters and digits
    RunProgram run;
    Latitude latitude = {};
    /// A sweep over many cases tries one in so many: above 1 where a Program is costly to make.
    int sweep = 1;
    /// Matrices of hundreds of rows are not for it.
    bool small_only = false;
    /// Host threads share its work.
    bool threaded = false;
};

/// What a test's name and message show of it.
void PrintTo(const ExecutorUnderTest& executor, std::ostream* out);

/// Of the program that is linked.
[[nodiscard]] const std::vector<ExecutorUnderTest>& executors_under_test();

/// Those that try this case of a sweep: chosen by its text, so the same in every run.
[[nodiscard]] std::vector<ExecutorUnderTest> executors_for(const std::string& case_text);

/// The name of a test with parameters (executor, type).
inline const auto name_of_executor_and_type = [](const auto& test) {
    return std::get<0>(test.param).name +
           (std::get<1>(test.param) == ScalarType::float32 ? "_float" : "_double");
};

/// See RunProgram.
inline RunResult run(const ExecutorUnderTest& executor, const Program& program, std::int64_t batch,
                     const std::vector<const Matrices*>& operands,
                     const std::vector<Matrices*>& results, int threads = 1,
                     const CallWishes& wishes = {}) {
    return executor.run(program, batch, operands, results, threads, wishes);
}

}  // namespace matgrad::test
