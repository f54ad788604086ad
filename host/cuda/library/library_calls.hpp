#pragma once
/// \file Calls of cuBLAS and cuSOLVER by scalar type, on the stream of a run.

#include <cstdint>
#include <span>

#include "cuda/library/gemm_call.hpp"
#include "cuda/library/step_run.hpp"
#include "cuda/library/trsm_call.hpp"

namespace matgrad::gpu {

[[nodiscard]] constexpr cudaDataType cuda_type(ScalarType type) {
    return type == ScalarType::float32 ? CUDA_R_32F : CUDA_R_64F;
}

/// result = alpha * first * second + beta * result, strided or with pointers to each problem.
void call_gemm(StepRun& run, ScalarType type, double alpha, const GemmCall& call, double beta);

/// Lower triangle of the result (as rows are read) = alpha * a * a'; one matrix.
void call_syrk(StepRun& run, double alpha, const DeviceView& a, const DeviceView& result);

/// `one_by_one`: a call for each problem, not one for all.
void call_trsm(StepRun& run, ScalarType type, double alpha, const TrsmCall& call, bool one_by_one);

/// Lower Cholesky factors in place, by a kernel of our own: there are no infos.
void call_own_cholesky(StepRun& run, const DeviceView& a);
/// Lower Cholesky factors in place, one info per problem in run.memory.info.
void call_potrf_batched(StepRun& run, const DeviceView& a);
/// The same one after the other. `buffer` and `host_bytes` of run.memory.host: what
/// cusolverDnXpotrf_bufferSize asked for.
void call_potrf_each(StepRun& run, const DeviceView& a, std::span<std::byte> buffer,
                     std::size_t host_bytes);

/// LU in place of matrices stored by columns; pivots n per problem.
void call_getrf_batched(StepRun& run, const DeviceView& a, std::int32_t* pivots);
void call_getrf_each(StepRun& run, const DeviceView& a, std::int64_t* pivots,
                     std::span<std::byte> buffer, std::size_t host_bytes);

/// op(A) X = B in place of B. `lu` and `x` are stored by columns; `batch` 1: one call for all.
void call_getrs_batched(StepRun& run, bool transposed, const DeviceView& lu,
                        const std::int32_t* pivots, const DeviceView& x, std::int64_t batch);
void call_getrs_each(StepRun& run, bool transposed, const DeviceView& lu,
                     const std::int64_t* pivots, const DeviceView& x, std::int64_t batch);

}  // namespace matgrad::gpu
