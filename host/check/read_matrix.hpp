#pragma once
/// \file One problem's matrix of a call, in double.

#include <cstdint>

#include "matgrad/types.hpp"
#include "reference/reference.hpp"

namespace matgrad::detail {

template <typename T>
void read_as(const ConstStrided& view, std::int64_t problem, Eigen::MatrixXd& to) {
    const T* data = static_cast<const T*>(view.data) + problem * view.batch_stride;
    for (std::int64_t i = 0; i < to.rows(); ++i) {
        for (std::int64_t j = 0; j < to.cols(); ++j) {
            to(i, j) = static_cast<double>(data[i * view.row_stride + j * view.col_stride]);
        }
    }
}

/// Fills `to`, which has the size of the matrix.
inline void read_matrix(ScalarType type, const ConstStrided& view, std::int64_t problem,
                        Eigen::MatrixXd& to) {
    type == ScalarType::float32 ? read_as<float>(view, problem, to)
                                : read_as<double>(view, problem, to);
}

}  // namespace matgrad::detail
