#pragma once
/// \file Cholesky factors by a kernel of our own, for graphs: no document lets cuSOLVER's be captured.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "batch_state.hpp"

namespace matgrad::gpu {

/// The lower triangles of square matrices become their Cholesky factors; the upper ones stay. A pivot that
/// is not positive stays on the diagonal, one that is not finite as such. Only enqueues. Errors: CudaError.
void factor_cholesky(const Matrices& a, std::int64_t batch, cudaStream_t stream);

/// Loads the kernels into the current device, so that no first call has to. Errors: CudaError.
void load_cholesky_kernels();

}  // namespace matgrad::gpu
