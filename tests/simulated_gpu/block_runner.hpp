#pragma once
/// \file Runs the blocks of a launch one after the other, the threads of a block in an order that
/// varies, from barrier to barrier.

#include <cstddef>
#include <string>

#include "simulated_gpu/block_memory.hpp"
#include "simulated_gpu/kernel_state.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

using KernelFunction = void (*)(const void* arguments);

/// What kernels of all libraries share; a library is bound to it when it is loaded.
[[nodiscard]] KernelState* kernel_state();

struct KernelRun {
    std::string name;
    KernelFunction function = nullptr;
    const void* arguments = nullptr;
    unsigned grid = 0, block = 0;
    int device = 0;  ///< whose memory the kernel may touch
    BlockMemoryOfLaunch memory;
};

/// Violations are reported.
Launch run_kernel(const KernelRun& run);

}  // namespace matgrad::simulated
