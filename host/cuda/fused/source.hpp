#pragma once
/// \file The text of a fused kernel: constants, then one call of a primitive for each step (kernels/block), with the
/// step as its comment.

#include <string>

#include "cuda/fused/configuration.hpp"

namespace matgrad::gpu {

/// Of its arguments: shared inputs, inputs, results, kept values, in this order.
[[nodiscard]] std::size_t fused_matrices(const FusedDescription& what);

/// The whole kernel; `#` stands for its number.
[[nodiscard]] std::string fused_text(const Program& program, const FusedDescription& what,
                                     const FusedConfiguration& configuration);

}  // namespace matgrad::gpu
