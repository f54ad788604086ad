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
    std::vector<std::int64_t> batch_shape;  ///< the axes that are folded into it
    bool is_batched = false;  ///< an operand is; otherwise there is one problem and no batch axis
    /// result_paths[i] is the file of result i of the plan; without a file it is printed. Those of kind error
    /// come last and are not among them.
    std::vector<std::optional<std::string>> result_paths;
    std::optional<std::string> status_path;
    std::optional<std::string> error_path;  ///< of all results of kind error: a column for each
    bool is_type_given = false;             ///< by --type, not by the operands
    bool verify = false;                    ///< operands against their declarations

    /// What a user may not expect of the operands' files, a line each.
    [[nodiscard]] std::vector<std::string> remarks() const;
    [[nodiscard]] std::vector<Operand> operands() const;
};

/// Reads the words, opens the operands and checks all that can be known before planning.
///
/// Errors   NameError, OperandError, FileError: names, ranks, types, batches, paths.
[[nodiscard]] EvalRequest make_eval_request(const EvalArguments& arguments);

}  // namespace matgrad
