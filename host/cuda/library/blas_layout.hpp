#pragma once
/// \file How a BLAS sees a view, and when the matrices of a batch are one matrix. Pure functions of
/// shapes and strides.

#include <cstdint>
#include <optional>

#include "cuda/device_view.hpp"

namespace matgrad::gpu {

/// A matrix as a BLAS takes it: stored by rows or by columns, with a leading dimension of at least
/// the length of a row (of a column), and at least 1.
struct BlasLayout {
    bool by_columns = false;
    std::int64_t ld = 1;
};

/// Nothing where a BLAS cannot read the view in place: neither stride is 1, or rows overlap or run
/// backwards. Strides of dimensions of size 1 may be anything.
[[nodiscard]] std::optional<BlasLayout> blas_layout(const DeviceView& v);

/// The leading dimension of a view that is stored by columns; nothing if it cannot be taken so.
[[nodiscard]] std::optional<std::int64_t> column_ld(const DeviceView& v);

/// The matrices of the batch, one under the other, as one; its batch stride is 0. Nothing where they
/// do not lie evenly.
[[nodiscard]] std::optional<DeviceView> stacked_rows(DeviceView v, std::int64_t batch);
/// The same, side by side.
[[nodiscard]] std::optional<DeviceView> stacked_columns(const DeviceView& v, std::int64_t batch);

/// All entries of all problems without a gap, by rows, one problem after the other.
[[nodiscard]] bool is_contiguous(const DeviceView& v, std::int64_t batch);

}  // namespace matgrad::gpu
