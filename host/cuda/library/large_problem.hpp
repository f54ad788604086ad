#pragma once
/// \file When a matrix is large enough to be factored alone.

#include <cstdint>

namespace matgrad::gpu {

/// The batched factorizations give each matrix to few blocks: a few large ones are better taken one
/// after the other, each by the whole device. The bounds are a guess, not measured yet.
[[nodiscard]] constexpr bool is_taken_alone(std::int64_t n, std::int64_t batch) {
    return n >= 512 && batch <= 16;
}

}  // namespace matgrad::gpu
