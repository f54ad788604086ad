#pragma once
/// \file Between a caller's batch and the values of a slice, where it is more than a copy: problems that an
/// index names, and results that are added to what is there.
///
/// Thrust algorithms on a stream: they only enqueue. Pointers are device memory.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "arguments.cuh"
#include "batch_state.hpp"

namespace matgrad::gpu {

/// Problem p of `to` = problem rows[p] of `from`, which has its sizes and type.
void gather_problems(const Matrices& from, const Matrices& to, const std::int64_t* rows,
                     std::int64_t batch, cudaStream_t stream);

/// What is divided by the count of the problems that succeeded.
struct MeanOf {
    const std::int64_t* failed = nullptr;  ///< null: nothing is divided
    std::int64_t batch = 0;
};
/// to = from / count, rounded, + beta * to. Problem p is left alone if status[p] (null: none failed) is of a
/// kind of failure in the mask `losing`, and all are if no problem of the mean succeeded. `from` has the
/// sizes of `to`.
void add_results(const Matrices& from, double beta, const Matrices& to, const MeanOf& mean,
                 const std::int32_t* status, std::int64_t batch, cudaStream_t stream,
                 unsigned losing = block::kAnyFailure);

}  // namespace matgrad::gpu
