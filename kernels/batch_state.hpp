#pragma once
/// \file What is kept for each problem of a batch: pointers for the batched libraries, and status.
///
/// Thrust algorithms on a stream: they only enqueue. Pointers are device memory; strides are in
/// elements of `type` unless they say bytes.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <limits>
#include <span>

#include "lost_results.cuh"

namespace matgrad::gpu {

/// The addresses of the matrices of a batch, evenly apart.
struct PointerArray {
    void* base = nullptr;
    std::int64_t stride_bytes = 0;
    friend bool operator==(const PointerArray&, const PointerArray&) = default;
};
/// So many arrays are written by one algorithm.
inline constexpr std::size_t kMostPointerArrays = 16;
/// pointers[k*batch + p] = arrays[k].base + p * arrays[k].stride_bytes; at most kMostPointerArrays.
void fill_pointers(void** pointers, std::span<const PointerArray> arrays, std::int64_t batch,
                   cudaStream_t stream);

/// status[p] = *shared: a failed once-per-batch step fails every problem. `shared` null: 0.
void start_status(std::int32_t* status, const std::int32_t* shared, std::int64_t batch,
                  cudaStream_t stream);

/// The diagonals of the factors of a batch.
struct Diagonals {
    const void* data = nullptr;
    bool is_double = true;
    std::int64_t n = 0;
    std::int64_t stride = 0;        ///< from one pivot to the next, in elements
    std::int64_t batch_stride = 0;  ///< in elements
    std::int64_t col_stride = 0;    ///< of the whole factor, in elements; LU is not asked for it
    /// Of a Cholesky factor: the largest rank that the matrix has by its shape. Pivots behind it are roundings of 0.
    std::int64_t rank = std::numeric_limits<std::int64_t>::max();
};

/// The status of each problem, as a factorization finds it.
struct Statuses {
    std::int32_t* data = nullptr;
    /// What is there is not read: status[p] starts as *shared, or as 0 where that is null.
    bool are_new = false;
    const std::int32_t* shared = nullptr;
};
/// Of a problem that one thread reads. New statuses are one thread's for each problem: past this order it
/// is faster to start them first.
inline constexpr std::int64_t kPivotsEach = 64;

/// Where status[p] is still 0, or a sum alone has left the problem out: kind and number (from 1) of the first pivot that is not finite or not
/// positive, or `info[p]` where that is positive and comes before it. `info` may be null.
///
/// What a library leaves at the pivot it names is its own affair: the pivot, what was there before, or the
/// root of a negative number. So such a pivot is not finite only where it is infinite or an entry of the
/// factor to its left is not finite, and a NaN of the matrix on its diagonal passes for not positive.
void read_cholesky_status(const Diagonals& diagonals, const int* info, const Statuses& status,
                          std::int64_t batch, cudaStream_t stream);

/// The same for LU: the first pivot that is not finite, or is zero where `zero_fails`. Where a zero
/// does not fail, what a library left on the diagonal behind the first zero is set to 1, so that a
/// product of the pivots is 0 and not NaN.
void read_lu_status(const Diagonals& diagonals, bool zero_fails, const Statuses& status,
                    std::int64_t batch, cudaStream_t stream);

/// pivots32[i] = pivots64[i].
void narrow_pivots(const std::int64_t* pivots64, std::int32_t* pivots32, std::int64_t count,
                   cudaStream_t stream);

/// A batch of matrices.
struct Matrices {
    void* data = nullptr;
    bool is_double = true;
    std::int64_t rows = 0, cols = 0;
    std::int64_t row_stride = 0, col_stride = 0, batch_stride = 0;
};

/// A problem that has not failed fails with not_finite, without a pivot, where an entry of its matrix is infinite or not a
/// number.
void mark_not_finite(const Matrices& terms, std::int32_t* status, std::int64_t batch,
                     cudaStream_t stream);

/// So many batches of matrices are filled by one algorithm.
inline constexpr std::size_t kMostFilled = 8;
/// Every entry of the problems that failed in a way of `losing` (lost_results.cuh) becomes `value`: NaN in
/// results, 0 in what is about to be summed. At most kMostFilled batches.
void fill_failed(std::span<const Matrices> batches, double value, const std::int32_t* status,
                 std::int64_t batch, cudaStream_t stream, unsigned losing = block::kLosingResults);

}  // namespace matgrad::gpu
