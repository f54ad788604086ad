#pragma once
/// \file One small problem in a frame, a piece of the stack: where its matrices lie, and its steps.
///
/// Everything is decided when the steps are made: kernels are functions of one size class and type, matrices
/// have fixed places. A step follows pointers it was made with, and nothing else.

#include <bit>
#include <cstddef>
#include <cstdint>

#include "matgrad/types.hpp"

namespace matgrad::detail {

/// Rows and columns of a matrix in a frame, at most.
inline constexpr std::int64_t kMostSingleOrder = 16;
inline constexpr std::int32_t kFrameAlignment = 64;

/// Numbers from one row to the next, for so many columns: a row is read and written as whole vectors. What lies
/// between its end and the next row is anything.
[[nodiscard]] constexpr std::int32_t padded(std::int32_t cols) {
    return static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(cols)));
}

/// A matrix in the frame. Entry (r, c) is r*row_stride + c*col_stride numbers behind `at`.
struct Placed {
    std::int32_t at = 0;  ///< bytes into the frame
    std::int32_t rows = 0, cols = 0;
    std::int32_t row_stride = 0, col_stride = 0;
    ScalarType type = ScalarType::float64;

    /// Can rows be read as vectors?
    [[nodiscard]] bool has_rows() const { return col_stride == 1 || cols == 1; }
};

[[nodiscard]] inline Placed transposed(const Placed& m) {
    return {m.at, m.cols, m.rows, m.col_stride, m.row_stride, m.type};
}
/// Rows [row, row + rows) and columns [col, col + cols).
[[nodiscard]] inline Placed block(Placed m, std::int32_t row, std::int32_t col, std::int32_t rows,
                                  std::int32_t cols) {
    m.at += (row * m.row_stride + col * m.col_stride) * static_cast<std::int32_t>(size_of(m.type));
    m.rows = rows;
    m.cols = cols;
    return m;
}
[[nodiscard]] inline Placed reversed_rows(const Placed& m) {
    Placed result = block(m, m.rows - 1, 0, m.rows, m.cols);
    result.row_stride = -m.row_stride;
    return result;
}
/// Rows and columns from the other end: an upper triangle becomes a lower one.
[[nodiscard]] inline Placed reversed(const Placed& m) {
    return transposed(reversed_rows(transposed(reversed_rows(m))));
}

template <typename T>
[[nodiscard]] T* entries(std::byte* frame, const Placed& m) {
    return reinterpret_cast<T*>(frame + m.at);
}
template <typename T>
[[nodiscard]] T& entry(std::byte* frame, const Placed& m, std::int32_t row, std::int32_t col) {
    return entries<T>(frame, m)[row * m.row_stride + col * m.col_stride];
}

struct GramCare;
struct SingleStep;
/// Returns the status of the problem: 0 but for a factorization that fails.
using SingleKernel = std::int32_t (*)(const SingleStep& step, std::byte* frame);

/// What a kernel is given; which of it, and what it does, kernels.hpp says.
struct SingleStep {
    SingleKernel run = nullptr;
    Placed out, a, b, c;
    double alpha = 1, beta = 0;
    std::int32_t code = 0;           ///< an enumerator
    const GramCare* care = nullptr;  ///< of a factor of a Gram matrix
};

}  // namespace matgrad::detail
