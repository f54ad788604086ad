#pragma once
/// \file Kernels that are part of the program: compiled by the host's compiler with the twin of
/// device.cuh, not by NVRTC.

#include <cuda_runtime_api.h>

#include "simulated_gpu/block_runner.hpp"

namespace matgrad::simulated {

struct LinkedKernel {
    const char* name;
    KernelFunction function;
    unsigned long argument_bytes, most_threads;
    void (*bind)(KernelState*);  ///< matgrad_bind_kernel_state of its translation unit
};

/// What cudaLaunchKernelExC is for such a kernel: `arguments` points to its one argument.
cudaError_t launch_linked(const cudaLaunchConfig_t& config, const LinkedKernel& kernel,
                          const void* argument);

/// What cudaFuncGetAttributes, which loads a kernel, is for such a kernel.
cudaError_t load_linked(const LinkedKernel& kernel);

}  // namespace matgrad::simulated
