#pragma once
/// \file The condition of triangles, cheaply: a bound, an estimate, and for the few that are suspicious the
/// number itself.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

// All of them read the lower triangle of `l`, in double, with kLanes lanes or with one and then row-major, and
// give one number for each lane; what is not finite has a condition that is not finite and positive, or NaN.

/// Bytes of `work` for n rows.
[[nodiscard]] std::int64_t condition_bytes(std::int64_t n, int lanes);

/// At least max|row sums| of L times max|row sums| of inv(L), by one substitution with the matrix that has the
/// absolute entries of L, the diagonal positive and all others negative: n^2 operations.
void condition_bound(const View& l, double* bounds, std::byte* work);
/// At most the condition in the 2-norm, most often at least a third of it: by two substitutions with a right-hand
/// side that makes the solution grow, and two products: 4*n^2 operations.
void condition_estimate(const View& l, double* estimates, std::byte* work);
/// The condition in the Frobenius norm; `inverse` is that of L, with zeros above its diagonal.
void condition_number(const View& l, const View& inverse, double* numbers);

}  // namespace matgrad::detail
