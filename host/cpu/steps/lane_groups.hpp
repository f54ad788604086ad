#pragma once
/// \file Steps that take several groups of kLanes problems in lanes at once.
///
/// Of each value the groups lie one after the other: StepRun::groups of them, from the view of the first on. The results
/// of a problem are the same bits in any group. Null where a step takes its groups one by one.

#include "cpu/steps/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

[[nodiscard]] CpuStepPtr make_lane_group_map(const Program& program, const Step& step,
                                             const Map& map);
[[nodiscard]] CpuStepPtr make_lane_group_reduce(const Program& program, const Step& step,
                                                const Reduce& reduce);

}  // namespace matgrad::detail
