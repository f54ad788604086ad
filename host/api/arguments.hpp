#pragma once
/// \file Checks the arguments of make_plan: finds every mistake before anything is planned.

#include <span>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Every symbol that is needed has an operand, every operand is a symbol and is given once, sizes fit the
/// shapes and each other, and byte counts fit 64 bits. Errors: OperandError, ShapeError.
void check_operands(std::span<const Declaration> symbols, std::span<const Declaration> needed,
                    std::span<const Operand> operands);

/// Names in `wrt` and `hvp`, entry, threads and batch. Errors: OperandError, NameError, ShapeError.
void check_options(const Expr& f, const PlanOptions& options);

}  // namespace matgrad::detail
