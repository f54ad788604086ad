#pragma once
/// \file Do two strided views share an address? Exactly, not by their bounding ranges: the left and
/// the right half of one array interleave and still share nothing.

#include <cstdint>
#include <optional>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// The entries `data[i*row_stride + j*col_stride + k*batch_stride]` of one batch, by address.
struct Region {
    std::int64_t address = 0;  ///< of entry (0, 0) of problem 0, in elements
    std::int64_t rows = 0, cols = 0, batch = 0;
    std::int64_t row_stride = 0, col_stride = 0, batch_stride = 0;
    [[nodiscard]] bool empty() const noexcept { return rows == 0 || cols == 0 || batch == 0; }
};

/// The first and the last address of a region; of an empty one, the last is before the first.
struct Bounds {
    std::int64_t first = 0;
    std::int64_t last = -1;
    [[nodiscard]] bool meets(const Bounds& other) const noexcept {
        return first <= last && other.first <= other.last && first <= other.last &&
               other.first <= last;
    }
};

/// Nothing if the addresses of the region cannot be computed in 64 bits.
[[nodiscard]] std::optional<Bounds> bounds_of(const Region& region);

/// True if an entry of `a` has the address of an entry of `b`. Both are addressable. For strides so
/// wild that the answer takes too long to find, it is true.
[[nodiscard]] bool share_an_address(const Region& a, const Region& b);

/// True if two entries of `a` have one address; the same reservations.
[[nodiscard]] bool repeats_an_address(const Region& a);

}  // namespace matgrad::detail
