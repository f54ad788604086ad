#pragma once
/// \file Matrix-vector products of many problems, each so small that nothing of one leaves the first-level cache.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// y = alpha * a * x + beta * y of each problem, or with a' in place of a. All of one type.
struct GemvBatch {
    double alpha = 1;
    View a;                        ///< of the first problem: unit column stride, not empty
    bool transposed = false;       ///< a' is meant
    const std::byte* x = nullptr;  ///< entries without gaps
    double beta = 0;
    std::byte* y = nullptr;  ///< entries without gaps; overlaps neither a nor x
    std::int64_t a_step = 0, x_step = 0,
                 y_step = 0;  ///< bytes from one problem to the next; 0: shared
    bool a_ahead = false;  ///< the problems that follow in memory are next: they are brought nearer
};

/// Are products with a matrix of this shape small enough?
[[nodiscard]] bool is_batch_gemv(std::int64_t rows, std::int64_t cols, ScalarType type);
void gemv_batch(const GemvBatch& call, std::int64_t problems);

}  // namespace matgrad::detail
