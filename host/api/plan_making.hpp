#pragma once
/// \file Turns a function and its options into a request for a Program, and tells what the Program's
/// operands and results are.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "matgrad/plan.hpp"
#include "planner/planner.hpp"

namespace matgrad::detail {

/// The symbols of f, and the directions of the Hessian-vector products.
[[nodiscard]] std::vector<Declaration> known_symbols(const Expr& f, const PlanOptions& options);

/// What is known of the matrices of everything asked for, a line each.
[[nodiscard]] std::string structure_text(const Expr& f, const PlanOptions& options);

/// The closed forms of everything asked for, with the symbols that need operands, and what is done to
/// each over the batch.
/// Errors: those of check_options, `derive` and check_operands; OperandError for a reduction of an output
/// that is not asked for.
[[nodiscard]] PlanRequest make_request(const Expr& f, std::span<const Operand> operands,
                                       const PlanOptions& options);

/// The symbols of f and the directions that some output depends on: they have to have operands.
/// Errors: those of `derive`.
[[nodiscard]] std::vector<Declaration> needed_symbols(const Expr& f, const PlanOptions& options);

/// One per output of the request.
[[nodiscard]] std::vector<OutputInfo> output_infos(const PlanRequest& request);

/// Program operand i is operands[operand_places[i]].
[[nodiscard]] std::vector<std::size_t> operand_places(const Program& program,
                                                      std::span<const Operand> operands);

}  // namespace matgrad::detail
