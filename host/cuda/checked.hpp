#pragma once
/// \file Checks calls of CUDA. A call that fails becomes a MachineError with the call, its code and
/// the source line; `out_of_memory` is told apart, since smaller chunks may help.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>
#include <nvrtc.h>

#include "matgrad/error.hpp"

namespace matgrad::gpu {

/// A failed call of the runtime, cuBLAS, cuSOLVER or NVRTC.
class CudaError : public MachineError {
public:
    CudaError(const std::string& message, bool out_of_memory, bool device_lost)
        : MachineError(message), out_of_memory_(out_of_memory), device_lost_(device_lost) {}
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    /// The device's context is broken: no later call of this process can succeed on it.
    [[nodiscard]] bool device_lost() const noexcept { return device_lost_; }

private:
    bool out_of_memory_, device_lost_;
};

/// `call` is the source text of the call; only its name is reported.
void check(cudaError_t code, const char* call, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());
void check(cublasStatus_t code, const char* call, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());
void check(cusolverStatus_t code, const char* call, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());
void check(nvrtcResult code, const char* call, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());

}  // namespace matgrad::gpu

/// MATGRAD_CUDA(cudaMalloc(&data, size));
#define MATGRAD_CUDA(call) ::matgrad::gpu::check((call), #call)
