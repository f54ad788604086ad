#pragma once
/// \file One case of a benchmark suite: a function at one size, batch and type. Plain data; every
/// case that is made from a suite file is known to be sound.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad::bench {

/// What is computed.
enum class Outputs { value, gradient, both };

/// Names of dimensions with their sizes, in the order of the file.
using Sizes = std::vector<std::pair<std::string, std::int64_t>>;

struct Case {
    std::string name;
    std::string function;  ///< for people and figures
    std::string f;
    std::string wrt;
    std::vector<Declaration> declare;  ///< every symbol of f, in order of first appearance
    Sizes sizes;
    std::vector<std::string> batched;  ///< the other operands are shared
    std::int64_t batch = 1;
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    Outputs outputs = Outputs::both;
    Reduction reduction = Reduction::none;  ///< sum: results are summed over the batch
    int threads = 0;                        ///< 0: those of the run

    [[nodiscard]] Expr expression() const { return parse(f, declare); }
    /// One for each symbol, in the order of `declare`.
    [[nodiscard]] std::vector<Operand> operands() const;
    /// For `device` and, unless the case fixes them, `run_threads` threads.
    [[nodiscard]] PlanOptions options(const Device& device, int run_threads) const;
    /// Of the batched operands and the results of one problem.
    [[nodiscard]] std::int64_t bytes_per_problem() const;
    /// Of the shared operands.
    [[nodiscard]] std::int64_t shared_bytes() const;
};

struct Suite {
    std::string name;
    std::string about;
    double seconds = 1;  ///< of measuring per row, unless the user says otherwise
    std::vector<Case> cases;
};

[[nodiscard]] const char* to_text(ScalarType type);
[[nodiscard]] const char* to_text(Accuracy accuracy);
[[nodiscard]] const char* to_text(Outputs outputs);
[[nodiscard]] const char* to_text(Reduction reduction);

}  // namespace matgrad::bench
