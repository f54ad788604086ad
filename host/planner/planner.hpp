#pragma once
/// \file From closed forms to a Program.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/expression.hpp"
#include "program/program.hpp"
#include "program/verify.hpp"

namespace matgrad {

/// One result to compute.
struct OutputRequest {
    OutputKind kind = OutputKind::value;
    std::string name;  ///< variable name of a gradient or hvp; empty for the value
    Expr form;
    std::optional<Entry> entry;  ///< only this component (then the output is 1x1)
    bool summed = false;         ///< over the problems of the batch that succeed
    bool mean = false;           ///< divided by their count, summed or not
};

struct PlanRequest {
    std::vector<OutputRequest> outputs;
    std::vector<Operand> operands;  ///< covers every symbol of the forms
    /// A gradient such as eye(n) may not mention the operand that fixes n, so f's symbols are given
    /// too.
    std::vector<Declaration> symbols;
    std::int64_t batch = 1;
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    bool rcond = false;  ///< a further output, after the others
    bool error =
        false;  ///< a further output for each of `outputs`, named as `output_text` names that
    bool jitter = false;  ///< Potrf::jitter of all factorizations
};

/// Is shown the Program after the lowering and after each pass, in order.
using PassObserver =
    std::function<void(std::string_view pass, Stage stage, const Program& program)>;

/// Lowers the forms and runs the passes of passes.hpp, in several ways where that may pay: the cheapest
/// Program is kept, and `observe` sees how that one came about. Every pass is verified in builds with
/// assertions.
///
/// Errors   OperandError for a symbol without operand; ShapeError where sizes disagree with the
///          declared dimensions (both operands and both sizes are named) or overflow 64 bits.
/// Cost     symbolic; allocates no data.
[[nodiscard]] Program make_program(const PlanRequest& request, const PassObserver& observe = {});

}  // namespace matgrad
