#pragma once
/// \file The views that a plan takes, of memory that is told by strides alone.

#include <cstdint>
#include <span>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad {

/// One per operand of the plan, in order.
[[nodiscard]] inline std::vector<OperandView> operand_views(const Plan& plan, std::int64_t batch,
                                                            std::span<const ConstStrided> strided) {
    std::vector<OperandView> views;
    for (std::size_t i = 0; i < strided.size(); ++i) {
        const ConstStrided& at = strided[i];
        const Operand& operand = plan.operands()[i];
        const ConstView matrix(at.data, plan.type(), operand.rows, operand.cols, at.row_stride,
                               at.col_stride);
        views.emplace_back(operand.batched ? matrix.batched(batch, at.batch_stride) : matrix);
    }
    return views;
}

/// One per output of the plan, in order.
[[nodiscard]] inline std::vector<ResultView> result_views(const Plan& plan, std::int64_t batch,
                                                          std::span<const Strided> strided) {
    std::vector<ResultView> views;
    for (std::size_t i = 0; i < strided.size(); ++i) {
        const Strided& at = strided[i];
        const OutputInfo& output = plan.outputs()[i];
        const View matrix(at.data, plan.type(), output.rows, output.cols, at.row_stride,
                          at.col_stride);
        views.emplace_back(output.batched ? matrix.batched(batch, at.batch_stride) : matrix);
    }
    return views;
}

}  // namespace matgrad
