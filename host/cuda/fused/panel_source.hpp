#pragma once
/// \file The text of a fused kernel that goes through its problems in passes over panels.

#include <string>

#include "cuda/fused/configuration.hpp"

namespace matgrad::gpu {

/// As fused_text, of a configuration with panels.
[[nodiscard]] std::string panel_text(const Program& program, const FusedDescription& what,
                                     const FusedConfiguration& configuration);

}  // namespace matgrad::gpu
