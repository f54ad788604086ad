#pragma once
/// \file Steps of a run that are done in lanes.
///
/// Factors of small matrices are quick where each SIMD lane has a problem of its own, products of rows that fill
/// vectors where they lie. So some steps of a run are those of the compact layout: kLanes problems at a time are
/// brought into lanes, go through all of these steps, and what is read later is brought back.

#include <vector>

#include "cpu/steps/step.hpp"
#include "program/program.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {

/// One step that does these, which are consecutive. Null if the compact layout lacks one.
[[nodiscard]] CpuStepPtr make_lane_steps(const Program& program,
                                         const std::vector<const Step*>& steps);

/// Calls function(value) for all that a step in lanes reads in any case: the root of a factor is brought late, where
/// it is looked at.
template <typename Function>
void for_each_read(const Step& step, Function function) {
    const auto* potrf = std::get_if<Potrf>(&step.operation);
    const ValueId late = potrf != nullptr ? potrf->root.value : kNoValue;
    for_each_use(step.operation, [&](const Use& use) {
        if (use.value != late || use.value == potrf->a.value) {
            function(use.value);
        }
    });
}

/// Those of the values that these steps make which others read.
[[nodiscard]] std::vector<ValueId> values_read_later(const Program& program,
                                                     const std::vector<const Step*>& steps);

}  // namespace matgrad::detail
