#pragma once
/// \file Products of many problems, each so small that nothing of one leaves the first-level cache.
///
/// What every one of them needs beside its arithmetic is done once for all: the kernels, their strips, where the
/// operands lie.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// c = alpha * a * b + beta * c of each problem, computed in `type`; beta 0 does not read c.
struct GemmBatch {
    ScalarType type = ScalarType::float64;
    double alpha = 1;
    View a, b;  ///< of the first problem: no wider than `type`, any strides, not empty
    double beta = 0;
    View
        c;  ///< of the first problem: no wider than `type`, unit column stride; overlaps neither a nor b
    std::int64_t a_step = 0, b_step = 0,
                 c_step = 0;    ///< bytes from one problem to the next; 0: shared
    bool lower_only = false;    ///< what is above the diagonal of c is not needed
    bool stream = false;        ///< past the caches, where c consists of whole lines of the cache
    std::byte* room = nullptr;  ///< gemm_batch_bytes
    bool a_ahead = false;  ///< the problems that follow in memory are next: they are brought nearer
    bool b_ahead = false;
};

/// Are products of this shape small enough?
[[nodiscard]] bool is_batch_gemm(std::int64_t rows, std::int64_t inner, std::int64_t cols,
                                 ScalarType type);
/// Of memory in which operands are converted or transposed.
[[nodiscard]] std::int64_t gemm_batch_bytes(std::int64_t rows, std::int64_t inner,
                                            std::int64_t cols, ScalarType type);
void gemm_batch(const GemmBatch& call, std::int64_t problems);

}  // namespace matgrad::detail
