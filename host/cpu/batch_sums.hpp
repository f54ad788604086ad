#pragma once
/// \file Matrices of a tile are added to sums over the batch, which are kept in double.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// Is there neither NaN nor infinity among `count` numbers that lie in a row?
[[nodiscard]] bool all_finite(ScalarType type, const std::byte* data, std::int64_t count);

/// sums[e] += entry e of each of `matrices` matrices of `count` entries, which lie one after the other
/// and are added in that order.
void add_matrices(ScalarType type, const std::byte* data, std::int64_t matrices, std::int64_t count,
                  double* sums);

}  // namespace matgrad::detail
