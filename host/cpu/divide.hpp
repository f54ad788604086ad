#pragma once
/// \file Division of results by the count of the problems that succeeded.

#include <cstdint>

#include "cpu/view.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {

/// Divides the entries of `matrices` matrices, the first of which is `first` and the others
/// `batch_stride` elements further each. Every entry is rounded by itself: threads change nothing.
void divide_matrices(const View& first, std::int64_t matrices, std::int64_t batch_stride,
                     std::int64_t by, const Threads& threads);

}  // namespace matgrad::detail
