#pragma once
/// \file Launches kernels that are compiled with the program: by nvcc, or as plain C++ with the twin of
/// device.cuh for the simulated GPU.

#include <cuda_runtime_api.h>

#include "cuda/checked.hpp"

#ifdef __CUDACC__

namespace matgrad::gpu {

template <typename Args>
struct CompiledKernel {
    void (*function)(const Args);
};

template <typename Args>
void launch(const CompiledKernel<Args>& kernel, const cudaLaunchConfig_t& config, Args args) {
    void* arguments[] = {&args};
    MATGRAD_CUDA(
        cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(kernel.function), arguments));
}

/// Loads it now, not at its first launch.
template <typename Args>
void load(const CompiledKernel<Args>& kernel) {
    cudaFuncAttributes attributes{};
    MATGRAD_CUDA(
        cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel.function)));
}

}  // namespace matgrad::gpu

/// The kernel of this name, which takes `Args`.
#define MATGRAD_COMPILED(name, Args)                         \
    ::matgrad::gpu::CompiledKernel<::matgrad::block::Args> { \
        &::matgrad::block::name                              \
    }

#else

#include "simulated_gpu/linked_kernel.hpp"

namespace matgrad::gpu {

template <typename Args>
struct CompiledKernel {
    simulated::LinkedKernel linked;
};

template <typename Args>
void launch(const CompiledKernel<Args>& kernel, const cudaLaunchConfig_t& config,
            const Args& args) {
    check(simulated::launch_linked(config, kernel.linked, &args), "cudaLaunchKernelExC");
}

template <typename Args>
void load(const CompiledKernel<Args>& kernel) {
    check(simulated::load_linked(kernel.linked), "cudaFuncGetAttributes");
}

}  // namespace matgrad::gpu

#define MATGRAD_COMPILED(name, Args)                                           \
    ::matgrad::gpu::CompiledKernel<::matgrad::block::Args> {                   \
        {                                                                      \
#name,                                                                       \
                [](const void* args) {                                                   \
                    ::matgrad::block::name(*static_cast<const ::matgrad::block::Args*>(args)); \
                },                                                                       \
                ::matgrad::block::name##_bytes, ::matgrad::block::name##_threads,        \
                &::matgrad::simulated::matgrad_bind_kernel_state \
        }                                                                      \
    }

#endif
