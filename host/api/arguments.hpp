#pragma once
/// \file Checks the arguments of make_plan, Plan::run and Plan::enqueue: finds every mistake before anything
/// runs, in every build type.

#include <cstddef>
#include <span>
#include <vector>

#include "executor/workspace.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Every symbol that is needed has an operand, every operand is a symbol and is given once, sizes fit the
/// shapes and each other, and byte counts fit 64 bits. Errors: OperandError, ShapeError.
void check_operands(std::span<const Declaration> symbols, std::span<const Declaration> needed,
                    std::span<const Operand> operands);

/// Names in `wrt` and `hvp`, entry, threads and batch. Errors: OperandError, NameError, ShapeError.
void check_options(const Expr& f, std::int64_t batch, const PlanOptions& options);

/// What a run is checked against.
struct RunContract {
    std::span<const Operand> operands;
    std::span<const OutputInfo> outputs;
    ScalarType type = ScalarType::float64;
    std::size_t workspace_bytes = 0;
    std::size_t workspace_alignment = kWorkspaceAlignment;
};

/// Looks at addresses, never at data, so the memory may be a device's.
/// Errors: OperandError with the operand's name, what was found and what was expected.
void check_run(const RunContract& contract, std::int64_t batch,
               std::span<const ConstStrided> operands, std::span<const Strided> results,
               std::span<const std::int32_t> status, std::span<const std::byte> workspace);

}  // namespace matgrad::detail
