#pragma once
/// \file Views of values in memory, in either layout.

#include <cstddef>
#include <cstdint>

#include "program/program.hpp"

namespace matgrad::detail {

/// Problems of one tile of the compact layout: element e of a value is kLanes numbers in a row,
/// one for each problem.
inline constexpr int kLanes = 16;

/// A matrix in memory. Element (r, c) begins at `data + (r*row_stride + c*col_stride) * lanes`
/// numbers of `type`. With `lanes == 1` it is an ordinary matrix, and inside a compact tile a value
/// that all lanes share.
struct View {
    std::byte* data = nullptr;
    ScalarType type = ScalarType::float64;
    int lanes = 1;
    std::int64_t rows = 0, cols = 0;
    std::int64_t row_stride = 0, col_stride = 0;

    [[nodiscard]] std::int64_t count() const { return rows * cols; }
    [[nodiscard]] std::int64_t element_bytes() const { return lanes * size_of(type); }
    [[nodiscard]] std::byte* at(std::int64_t r, std::int64_t c) const {
        return data + (r * row_stride + c * col_stride) * element_bytes();
    }
    /// Row-major without gaps.
    [[nodiscard]] bool contiguous() const {
        return (cols <= 1 || col_stride == 1) && (rows <= 1 || row_stride == cols);
    }
};

[[nodiscard]] inline View transposed(View v) {
    return {v.data, v.type, v.lanes, v.cols, v.rows, v.col_stride, v.row_stride};
}

/// The same matrix with its rows counted from the other end.
[[nodiscard]] inline View reversed_rows(View v) {
    if (v.rows > 0) {
        v.data = v.at(v.rows - 1, 0);
        v.row_stride = -v.row_stride;
    }
    return v;
}
/// Rows and columns from the other end: a lower triangle becomes an upper one.
[[nodiscard]] inline View reversed(const View& v) {
    return transposed(reversed_rows(transposed(reversed_rows(v))));
}

/// A scalar as a matrix of the shape of `to`; any other matrix as it is.
[[nodiscard]] inline View spread(View from, const View& to) {
    if (from.count() == 1) {
        from.rows = to.rows;
        from.cols = to.cols;
        from.row_stride = from.col_stride = 0;
    }
    return from;
}

/// Rows [r, r+m) and columns [c, c+n).
[[nodiscard]] inline View block(const View& v, std::int64_t r, std::int64_t c, std::int64_t m,
                                std::int64_t n) {
    View result = v;
    result.data = v.at(r, c);
    result.rows = m;
    result.cols = n;
    return result;
}

/// Does each row of the matrices consist of whole lines of the cache? `step`: bytes from one to the next.
[[nodiscard]] inline bool is_by_lines(const View& matrix, std::int64_t step) {
    constexpr std::uintptr_t kLine = 64;
    const auto bytes = [&](std::int64_t count) {
        return static_cast<std::uintptr_t>(count * size_of(matrix.type));
    };
    const std::uintptr_t all = reinterpret_cast<std::uintptr_t>(matrix.data) |
                               static_cast<std::uintptr_t>(step) | bytes(matrix.row_stride) |
                               bytes(matrix.cols);
    return all % kLine == 0;
}

/// What a Use sees of the value it names.
[[nodiscard]] inline View use_of(const Use& use, View v) {
    if (use.row >= 0) {
        v = block(v, use.row, 0, 1, v.cols);
    }
    if (use.col >= 0) {
        v = block(v, 0, use.col, v.rows, 1);
    }
    return use.transposed ? transposed(v) : v;
}

/// A new row-major matrix at `data`.
[[nodiscard]] inline View row_major(std::byte* data, ScalarType type, std::int64_t rows,
                                    std::int64_t cols, int lanes) {
    return {data, type, lanes, rows, cols, cols, 1};
}

/// Calls `function(T{})` with the type that `type` names.
template <typename Function>
decltype(auto) with_type(ScalarType type, Function&& function) {
    return type == ScalarType::float32 ? function(float{}) : function(double{});
}

}  // namespace matgrad::detail
