#pragma once
/// \file What LU factors need beyond a BLAS, on views of one lane.

#include <cstdint>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// LU with partial pivoting of a, stored by columns, in place; pivots counted from 0.
/// Returns 0 or the status of the first bad pivot.
std::int32_t factor_lu(const View& a, const View& pivots, bool zero_fails, Scratch& scratch);

/// Applies the row swaps of a factorization to x, in their order or backwards.
void swap_by_pivots(const View& pivots, const View& x, bool backwards);

/// Is the permutation odd?
[[nodiscard]] bool has_odd_swaps(const View& pivots);

}  // namespace matgrad::detail
