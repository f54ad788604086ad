#pragma once
/// \file Batches of matrices in device memory, as steps and kernels see them.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "program/program.hpp"

namespace matgrad::gpu {

/// Element (r, c) of problem p is at `data + p*batch_stride + r*row_stride + c*col_stride`, in
/// elements of `type`. A batch stride of 0 is a matrix that all problems share.
struct DeviceView {
    std::byte* data = nullptr;
    ScalarType type = ScalarType::float64;
    std::int64_t rows = 0, cols = 0;
    std::int64_t row_stride = 0, col_stride = 0, batch_stride = 0;

    [[nodiscard]] std::int64_t count() const { return rows * cols; }
    [[nodiscard]] std::byte* at(std::int64_t p, std::int64_t r, std::int64_t c) const {
        return data + (p * batch_stride + r * row_stride + c * col_stride) * size_of(type);
    }
};

[[nodiscard]] inline DeviceView transposed(DeviceView v) {
    std::swap(v.rows, v.cols);
    std::swap(v.row_stride, v.col_stride);
    return v;
}

/// Problems [first, ...) of a batch.
[[nodiscard]] inline DeviceView from_problem(DeviceView v, std::int64_t first) {
    v.data = v.at(first, 0, 0);
    return v;
}

/// The view of a value through a Use.
[[nodiscard]] inline DeviceView use_of(const Use& use, DeviceView v) {
    if (use.row >= 0) {
        v.data = v.at(0, use.row, 0);
        v.rows = 1;
    }
    if (use.col >= 0) {
        v.data = v.at(0, 0, use.col);
        v.cols = 1;
    }
    return use.transposed ? transposed(v) : v;
}

/// Row-major matrices one after the other.
[[nodiscard]] inline DeviceView row_major(std::byte* data, ScalarType type, std::int64_t rows,
                                          std::int64_t cols) {
    return {data, type, rows, cols, cols, 1, rows * cols};
}

}  // namespace matgrad::gpu
