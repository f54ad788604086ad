#pragma once
/// \file What an `eval` is asked for: the function, its operands, its results and where they go.

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/operand_source.hpp"
#include "cli/question.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

struct EvalRequest {
    Question question;
    PlanOptions options;
    std::vector<OperandSource> sources;  ///< one for each symbol, in any order
    std::int64_t batch = 1;
    bool is_batched = false;  ///< an operand is; otherwise there is one problem and no batch axis
    /// result_paths[i] is the file of result i of the plan; without a file it is printed.
    std::vector<std::optional<std::string>> result_paths;
    std::optional<std::string> status_path;

    [[nodiscard]] std::vector<Operand> operands() const;
};

/// Reads the words, opens the operands and checks all that can be known before planning.
///
/// Errors   NameError, OperandError, FileError: names, ranks, types, batches, paths.
[[nodiscard]] EvalRequest make_eval_request(const EvalArguments& arguments);

}  // namespace matgrad
