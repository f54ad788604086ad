#pragma once
/// \file The call of the primitive that a step of a fused kernel is.

#include <string>
#include <vector>

#include "cuda/fused/configuration.hpp"
#include "program/regions.hpp"

namespace matgrad::gpu::detail {

/// What a step of a pass over panels works on.
struct StepParts {
    std::vector<std::string>
        uses;  ///< matrices, in the order of for_each_use: before slice and transposition
    std::string out;
    Cut domain = Cut::whole;  ///< of a map or reduce: has kPanel rows or columns, from `first` on
    bool contracts = false;  ///< a part of the result is added to it, without alpha, beta and scale
    bool needs_offset = false;  ///< places are those in the whole matrix
};

/// The step as a comment, and its call.
[[nodiscard]] std::string step_text(const Program& program, const FusedConfiguration& configuration,
                                    const Step& step);
[[nodiscard]] std::string step_text(const Program& program, const FusedConfiguration& configuration,
                                    const Step& step, const StepParts& parts);
/// What the sum over all panels is before the first.
[[nodiscard]] std::string initial_text(const Step& step, const StepParts& parts, double initial);
/// What is left to be done after the last; empty if nothing.
[[nodiscard]] std::string finish_text(const Step& step, const StepParts& parts);

}  // namespace matgrad::gpu::detail
