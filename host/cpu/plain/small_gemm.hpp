#pragma once
/// \file Products of small matrices in plain memory, where a BLAS call costs more than its work.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// Is this product better done here than by a BLAS? A function of the shape alone.
[[nodiscard]] bool is_small_gemm(std::int64_t m, std::int64_t n, std::int64_t k);

/// c = alpha * a * b + beta * c; beta 0 does not read c. All of one type; b and c have unit column
/// stride, a any strides. Sums run over k in order.
void small_gemm(double alpha, const View& a, const View& b, double beta, const View& c);

/// to = from, one type; made for a transpose: from with unit row stride, to row-major.
void transpose_copy(const View& from, const View& to);

/// Copies `bytes` past the caches.
void stream_copy(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to);

}  // namespace matgrad::detail
