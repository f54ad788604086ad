#pragma once
/// \file Steps of a Program as kernels for single problems.

#include <cstdint>
#include <memory>

#include "cpu/single/plan.hpp"

namespace matgrad::detail {

/// Of a Program of small matrices whose outputs every problem has. Null where a step has no kernel, or the frame is too
/// small.
[[nodiscard]] std::unique_ptr<const SinglePlan> build_single_plan(const Program& program,
                                                                  std::int32_t shape_status);

}  // namespace matgrad::detail
