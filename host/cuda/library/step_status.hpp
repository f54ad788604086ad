#pragma once
/// \file What can fail in a Program, and views as the functions of batch_state.hpp take them.

#include <algorithm>
#include <variant>

#include "batch_state.hpp"
#include "cuda/device_view.hpp"
#include "cuda/library/step_setup.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {

/// Something is factored, so problems can lose their results.
[[nodiscard]] inline bool can_lose_results(const Program& program) {
    return std::any_of(program.steps.begin(), program.steps.end(),
                       [](const Step& step) { return is_factorization(step.operation); });
}

/// Something is factored, or summed over the batch, where what is not finite is left out.
[[nodiscard]] inline bool can_fail(const Program& program) {
    return can_lose_results(program) ||
           std::any_of(program.steps.begin(), program.steps.end(), [](const Step& step) {
               return std::holds_alternative<BatchReduce>(step.operation);
           });
}

/// Problems can fail in a step behind the one that is being made.
[[nodiscard]] inline bool may_fail_after(const StepSetup& setup) {
    bool behind = false;
    for (const Step& step : setup.program().steps) {
        if (behind && is_factorization(step.operation)) {
            return true;
        }
        behind = behind || &step == &setup.step();
    }
    return false;
}

[[nodiscard]] inline Matrices as_matrices(const DeviceView& v) {
    return {
        v.data,        v.type == ScalarType::float64, v.rows, v.cols, v.row_stride, v.col_stride,
        v.batch_stride};
}

/// The diagonal of square matrices.
[[nodiscard]] inline Diagonals diagonals(const DeviceView& v) {
    return {v.data,         v.type == ScalarType::float64,
            v.rows,         v.row_stride + v.col_stride,
            v.batch_stride, v.col_stride};
}

}  // namespace matgrad::gpu
