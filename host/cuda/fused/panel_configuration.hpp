#pragma once
/// \file A problem that does not fit on chip whole, in passes over panels.

#include "cuda/fused/configuration.hpp"

namespace matgrad::gpu {

/// A block of `threads` for a problem that takes `whole_bytes`.
[[nodiscard]] FusedConfiguration configure_panels(const Program& program,
                                                  const FusedDescription& what, int threads,
                                                  std::int64_t whole_bytes,
                                                  std::int64_t most_bytes);

}  // namespace matgrad::gpu
