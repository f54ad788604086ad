#pragma once
/// \file Which Cholesky factors are of matrices too near to singular for them, by an estimate of their condition.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "batch_state.hpp"

namespace matgrad::gpu {

/// Of the Gram matrix scale^2 root' root that was factored.
struct GramRoot {
    Matrices matrices;  ///< in double; of no rows where factors are not sharpened
    double scale = 1;
    double far = 0;  ///< conditions up to it are sharpened
};

/// Of work for each problem of n rows, with a root of so many rows or none.
[[nodiscard]] std::int64_t condition_work_bytes(std::int64_t n, std::int64_t root_rows);

/// A problem that has not failed fails with ill_conditioned where the condition of its lower triangle, in double, is
/// estimated above `most` or is not a number; up to root.far the triangle is made anew instead, by a second
/// factorization (sharpen.cuh). The estimate is at most the condition in the 2-norm, most often at least a third
/// of it. What becomes of a problem depends on its own numbers alone. Only enqueues. Errors: CudaError.
void mark_ill_conditioned(const Matrices& l, double most, const GramRoot& root, std::byte* work,
                          std::int32_t* status, std::int64_t batch, cudaStream_t stream);

/// Loads the kernels into the current device, so that no first call has to. Errors: CudaError.
void load_condition_kernels();

}  // namespace matgrad::gpu
