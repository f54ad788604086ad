#pragma once
/// \file The call of the primitive that a step of a fused kernel is.

#include <string>

#include "cuda/fused/configuration.hpp"

namespace matgrad::gpu::detail {

/// The step as a comment, and its call.
[[nodiscard]] std::string step_text(const Program& program, const FusedConfiguration& configuration,
                                    const Step& step);

}  // namespace matgrad::gpu::detail
