#pragma once
/// \file A fused kernel in a file of its own: all device code, the kernel, and a main() that checks it.

#include <cstdint>
#include <string>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// As of Module.
[[nodiscard]] std::string standalone_kernel(const Program& program, int architecture,
                                            std::int64_t batch, const KernelCheck& check);

/// The text with the embedded headers in the place of their includes, each once.
[[nodiscard]] std::string with_headers(const std::string& text);

}  // namespace matgrad::gpu
