#include "api/finite_check.hpp"

#include <cmath>

#include "matgrad/status.hpp"

namespace matgrad::detail {
namespace {

template <typename T>
bool is_finite(const Strided& result, const OutputInfo& output, std::int64_t problem) {
    const T* matrix = static_cast<const T*>(result.data) + problem * result.batch_stride;
    if (result.col_stride == 1) {
        T nothing = 0;  // stays 0 unless an entry is not finite
        for (std::int64_t r = 0; r < output.rows; ++r) {
            const T* row = matrix + r * result.row_stride;
            for (std::int64_t c = 0; c < output.cols; ++c) {
                nothing += row[c] * T{0};
            }
        }
        return nothing == 0;
    }
    for (std::int64_t r = 0; r < output.rows; ++r) {
        for (std::int64_t c = 0; c < output.cols; ++c) {
            if (!std::isfinite(matrix[r * result.row_stride + c * result.col_stride])) {
                return false;
            }
        }
    }
    return true;
}

template <typename T>
bool is_finite(std::span<const OutputInfo> outputs, const BoundCall& call, std::int64_t problem) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].batched && !is_diagnostic(outputs[i].kind) &&
            !is_finite<T>(call.results[i], outputs[i], problem)) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::int64_t mark_not_finite(std::span<const OutputInfo> outputs, ScalarType type,
                             const BoundCall& call, std::span<std::int32_t> status) {
    std::int64_t marked = 0;
    for (std::int64_t p = 0; p < call.batch; ++p) {
        const auto at = static_cast<std::size_t>(p);
        if (!status.empty() && !succeeded(status[at])) {
            continue;
        }
        const bool finite = type == ScalarType::float32 ? is_finite<float>(outputs, call, p)
                                                        : is_finite<double>(outputs, call, p);
        if (finite) {
            continue;
        }
        ++marked;
        if (!status.empty()) {
            status[at] = make_status(StatusKind::not_finite);
        }
    }
    return marked;
}

}  // namespace matgrad::detail
