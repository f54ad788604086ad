#pragma once
/// \file Which Cholesky factors are of matrices too near to singular for them, by an estimate of their condition.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "batch_state.hpp"

namespace matgrad::gpu {

/// Of work for each problem of n rows.
[[nodiscard]] std::int64_t condition_work_bytes(std::int64_t n);

/// A problem that has not failed fails with ill_conditioned where the condition of its lower triangle, in double, is
/// estimated above `most` or is not a number. The estimate is at most the condition in the 2-norm, most often
/// at least a third of it. A problem's verdict depends on its own numbers alone. Only enqueues. Errors: CudaError.
void mark_ill_conditioned(const Matrices& l, double most, std::byte* work, std::int32_t* status,
                          std::int64_t batch, cudaStream_t stream);

/// Loads the kernels into the current device, so that no first call has to. Errors: CudaError.
void load_condition_kernels();

}  // namespace matgrad::gpu
