#pragma once
/// \file The views that a plan takes, of memory that is told by strides alone.

#include <cstdint>
#include <span>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad {

/// Of one operand or output; `V` is ConstView or View.
template <typename V, typename Sized, typename At>
[[nodiscard]] V view_of(ScalarType type, const Sized& sized, const At& at, std::int64_t batch) {
    const V matrix(at.data, type, sized.rows, sized.cols, at.row_stride, at.col_stride);
    return sized.batched ? matrix.batched(batch, at.batch_stride) : matrix;
}

/// One per operand of the plan, in order.
[[nodiscard]] inline std::vector<OperandView> operand_views(const Plan& plan, std::int64_t batch,
                                                            std::span<const ConstStrided> strided) {
    std::vector<OperandView> views;
    for (std::size_t i = 0; i < strided.size(); ++i) {
        views.emplace_back(view_of<ConstView>(plan.type(), plan.operands()[i], strided[i], batch));
    }
    return views;
}

/// One per output of the plan, in order.
[[nodiscard]] inline std::vector<ResultView> result_views(const Plan& plan, std::int64_t batch,
                                                          std::span<const Strided> strided) {
    std::vector<ResultView> views;
    for (std::size_t i = 0; i < strided.size(); ++i) {
        views.emplace_back(view_of<View>(plan.type(), plan.outputs()[i], strided[i], batch));
    }
    return views;
}

}  // namespace matgrad
