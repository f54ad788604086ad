#pragma once
/// \file Copies of batches of matrices, by kernels that are compiled ahead for every size.
///
/// Strides may be anything, 0 and negative included, but entries that are written are apart. The
/// functions only enqueue; pointers are device memory of the current device.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "arguments.cuh"
#include "batch_state.hpp"
#include "cuda/copy_plan.hpp"

namespace matgrad::gpu {

/// to = from, entry by entry, rounded where `to` is narrower. `from` has the sizes of `to`.
///
/// `status` null: no problem failed. Otherwise the entries of problem p become NaN if status[p] is of
/// a kind of failure in the mask `losing` (kernels/lost_results.cuh).
///
/// `most` entries are copied by a launch.
///
/// Errors   CudaError.
void copy_entries(const Matrices& from, const Matrices& to, std::int64_t batch, cudaStream_t stream,
                  const std::int32_t* status = nullptr, unsigned losing = block::kLosingResults,
                  std::int64_t most = kMostCopied);

/// to = 1 where row and column are equal, else 0.
void set_identity(const Matrices& to, std::int64_t batch, cudaStream_t stream,
                  std::int64_t most = kMostCopied);

/// Loads the kernels into the current device, so that no first call has to. Errors: CudaError.
void load_copy_kernels();

}  // namespace matgrad::gpu
