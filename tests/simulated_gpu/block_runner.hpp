#pragma once
/// \file Runs the blocks of a launch one after the other, the threads of a block in an order that
/// varies, from barrier to barrier.

#include <cstddef>

#include "simulated_gpu/kernel_state.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

using KernelFunction = void (*)(const void* arguments);

/// What kernels of all libraries share; a library is bound to it when it is loaded.
[[nodiscard]] KernelState* kernel_state();

/// Violations are reported. `device`: whose memory the kernel may touch.
Launch run_kernel(const std::string& name, KernelFunction function, const void* arguments,
                  unsigned grid, unsigned block, int device);

}  // namespace matgrad::simulated
