#pragma once
/// \file From closed forms to a Program.

#include <optional>
#include <string>
#include <vector>

#include "matgrad/expression.hpp"
#include "program/program.hpp"

namespace matgrad {

/// One result to compute.
struct OutputRequest {
    OutputKind kind = OutputKind::value;
    std::string name;  ///< variable name of a gradient or hvp; empty for the value
    Expr form;
    std::optional<Entry> entry;  ///< only this component (then the output is 1x1)
};

struct PlanRequest {
    std::vector<OutputRequest> outputs;
    std::vector<Operand> operands;  ///< covers every symbol of the forms
    /// Further symbols whose operands give sizes to dimensions: those of f, for a gradient such as
    /// eye(n) need not contain the symbol that has them.
    std::vector<Declaration> symbols;
    std::int64_t batch = 1;
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    Reduction reduction = Reduction::none;  ///< not none: every output is summed over the batch
};

/// Lowers the forms and runs passes 1 to 6 in order.
///
/// Errors   OperandError for a symbol without operand; ShapeError where sizes disagree with the
///          declared dimensions (both operands and both sizes are named) or overflow 64 bits.
/// Cost     symbolic; allocates no data.
[[nodiscard]] Program make_program(const PlanRequest& request);

}  // namespace matgrad
