#pragma once
/// \file What a Program takes at least: `Plan::cost`.

#include <span>

#include "matgrad/plan.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// Operations of the Program, and the bytes of the operands it needs and of the results.
[[nodiscard]] PlanCost cost_of(const Program& program, std::span<const OutputInfo> outputs);

/// Operations of the steps that compute in `type`.
[[nodiscard]] double operations_in(Program program, ScalarType type);

}  // namespace matgrad::detail
