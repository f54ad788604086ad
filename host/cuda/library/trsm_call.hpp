#pragma once
/// \file From a triangular solve on views to a call of a BLAS, which stores by columns. Pure functions.

#include <cstdint>

#include "cuda/library/blas_layout.hpp"

namespace matgrad::gpu {

/// X := alpha op(T)^-1 X or alpha X op(T)^-1, column-major, X m x n.
struct TrsmCall {
    bool left = true;
    bool lower = true;
    bool transposed = false;
    std::int64_t m = 0, n = 0;
    std::byte* triangle = nullptr;
    std::int64_t triangle_ld = 1, triangle_stride = 0;
    std::byte* x = nullptr;
    std::int64_t x_ld = 1, x_stride = 0;
    std::int64_t batch = 1;
    bool stacked = false;  ///< one call over the right-hand sides of all problems
};

/// `lower` and `transposed` as in Trsm. Triangle and x as blas_layout takes them. Where all problems
/// share the triangle and the strides of x allow, they are solved as one.
[[nodiscard]] TrsmCall make_trsm_call(Side side, bool lower, bool transposed,
                                      const DeviceView& triangle, DeviceView x, std::int64_t batch);

}  // namespace matgrad::gpu
