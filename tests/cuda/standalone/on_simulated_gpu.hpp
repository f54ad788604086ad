#pragma once
/// \file Comes before a file of `matgrad kernel --standalone` that is compiled as plain C++: its kernels run on the
/// simulated GPU, and its calls of the CUDA runtime that want a kernel find them here.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <map>

#include "simulated_gpu/device.cuh"
#include "simulated_gpu/linked_kernel.hpp"

namespace matgrad::test {

inline std::map<const void*, simulated::LinkedKernel>& standalone_kernels() {
    static std::map<const void*, simulated::LinkedKernel> kernels;
    return kernels;
}

inline bool add_standalone_kernel(const void* function, const simulated::LinkedKernel& kernel) {
    return standalone_kernels().emplace(function, kernel).second;
}

inline cudaError_t set_attribute(const void* function, cudaFuncAttribute attribute, int bytes) {
    constexpr int kStaticBytes = 48 << 10;  // what a linked kernel of the simulation may have
    const bool fits = standalone_kernels().count(function) == 1 &&
                      attribute == cudaFuncAttributeMaxDynamicSharedMemorySize &&
                      bytes <= kStaticBytes;
    return fits ? cudaSuccess : cudaErrorInvalidValue;
}

/// One: with several multiprocessors, teams still take several problems each.
inline cudaError_t resident(int* blocks, const void* function, int threads, std::size_t bytes) {
    (void)threads, (void)bytes;
    *blocks = 1;
    return standalone_kernels().count(function) == 1 ? cudaSuccess : cudaErrorInvalidDeviceFunction;
}

inline cudaError_t launch_kernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                 std::size_t bytes, cudaStream_t stream) {
    const auto found = standalone_kernels().find(function);
    if (found == standalone_kernels().end()) {
        return cudaErrorInvalidDeviceFunction;
    }
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = bytes;
    config.stream = stream;
    return simulated::launch_linked(config, found->second, arguments[0]);
}

}  // namespace matgrad::test

#undef MATGRAD_KERNEL
#define MATGRAD_KERNEL(name, Args, threads)                                                    \
    MATGRAD_VISIBLE void name(const Args& args);                                               \
    [[maybe_unused]] static const bool name##_added = ::matgrad::test::add_standalone_kernel(  \
        reinterpret_cast<const void*>(&name),                                                  \
        {#name, [](const void* args) { name(*static_cast<const Args*>(args)); }, sizeof(Args), \
         threads, &::matgrad::simulated::matgrad_bind_kernel_state});                          \
    MATGRAD_VISIBLE void name(const Args& args)

#define cudaFuncSetAttribute ::matgrad::test::set_attribute
#define cudaOccupancyMaxActiveBlocksPerMultiprocessor ::matgrad::test::resident
#define cudaLaunchKernel ::matgrad::test::launch_kernel
