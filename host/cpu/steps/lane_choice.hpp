#pragma once
/// \file Which steps of a run are done in lanes (lane_steps.hpp).

#include <vector>

#include "program/program.hpp"

namespace matgrad::detail {

/// By the least sum of predicted times, with what moves into lanes and back.
///
/// rows   nanoseconds of each step on ordinary matrices; infinite where that is not possible
/// lanes  the same in lanes
/// returns  for each step: is it done in lanes?
[[nodiscard]] std::vector<char> choose_lane_steps(const Program& program,
                                                  const std::vector<const Step*>& steps,
                                                  const std::vector<double>& rows,
                                                  const std::vector<double>& lanes);

}  // namespace matgrad::detail
