#include "cuda/library/blas_layout.hpp"

#include <algorithm>

namespace matgrad::gpu {

std::optional<std::int64_t> column_ld(const DeviceView& v) {
    const std::int64_t column = std::max<std::int64_t>(1, v.rows);
    const std::int64_t ld = v.cols <= 1 ? column : v.col_stride;
    const bool has_unit_step = v.rows <= 1 || v.row_stride == 1;
    return has_unit_step && ld >= column ? std::optional(ld) : std::nullopt;
}

std::optional<BlasLayout> blas_layout(const DeviceView& v) {
    const std::optional<std::int64_t> by_columns = column_ld(v);
    if (v.cols <= 1 && v.row_stride == 1) {
        return BlasLayout{true, *by_columns};  // a vector is a column
    }
    if (const auto by_rows = column_ld(transposed(v))) {
        return BlasLayout{false, *by_rows};
    }
    return by_columns ? std::optional(BlasLayout{true, *by_columns}) : std::nullopt;
}

std::optional<DeviceView> stacked_rows(DeviceView v, std::int64_t batch) {
    if (batch != 1 && v.rows == 1) {
        v.row_stride = v.batch_stride;
    } else if (batch != 1 && v.batch_stride != v.rows * v.row_stride) {
        return {};
    }
    v.rows *= batch;
    v.batch_stride = 0;
    return v;
}

std::optional<DeviceView> stacked_columns(const DeviceView& v, std::int64_t batch) {
    const std::optional<DeviceView> stack = stacked_rows(transposed(v), batch);
    return stack ? std::optional(transposed(*stack)) : std::nullopt;
}

bool is_contiguous(const DeviceView& v, std::int64_t batch) {
    return (v.cols <= 1 || v.col_stride == 1) && (v.rows <= 1 || v.row_stride == v.cols) &&
           (batch <= 1 || v.batch_stride == v.rows * v.cols);
}

}  // namespace matgrad::gpu
