#pragma once
/// \file Triangular solves and Cholesky factors of middle size in plain memory: what a BLAS leaves
/// slow between the smallest and the large.
///
/// A triangle is packed once, then every panel of right-hand sides stays in the first-level cache
/// while it is taken from the first row to the last. Substitution is exact row by row (no block is
/// inverted; a division by a diagonal entry is a product with its reciprocal). Every right-hand side
/// is a SIMD lane of its own: its bits depend on nothing beside it.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// The largest triangle that is one piece.
inline constexpr std::int64_t kTriangle = 256;
/// Right-hand sides are solved in groups of a multiple of this, except the last.
inline constexpr std::int64_t kRightSides = 48;
/// Fewer right-hand sides than this do not fill a vector: they are better left to a BLAS.
inline constexpr std::int64_t kFewSides = 4;

/// Bytes of a packed triangle of n rows, n at most kTriangle; a multiple of 64.
[[nodiscard]] std::int64_t packed_triangle_bytes(std::int64_t n);

// All of them compute in `type`; the views have types no wider and any strides, and are read and
// written quickly where one of their strides is 1 or -1.

/// Packs S, lower triangular; its strict upper triangle is not used.
/// `unit`: its diagonal is not used either and is 1.
void pack_triangle(ScalarType type, const View& s, bool unit, std::byte* packed);

/// to = alpha * S^-1 from, S packed; `to` may be `from`.
void solve_packed(ScalarType type, const std::byte* packed, double alpha, const View& from,
                  const View& to);

/// The lower triangle of `to` becomes the Cholesky factor of `from`, whose lower triangle is used, of
/// at most kTriangle rows; what `to` held above the diagonal is lost. `to` may be `from`. Returns 0
/// or the status of the first pivot that is not finite and positive, and then `to` is of no use.
/// `packed` has packed_triangle_bytes.
std::int32_t factor_lower(ScalarType type, const View& from, const View& to, std::byte* packed);

}  // namespace matgrad::detail
