#pragma once
/// \file Singular values, for bounds: of real matrices, NaN and infinity excluded.

#include <Eigen/Dense>

namespace matgrad {

/// All of them, the largest first.
[[nodiscard]] Eigen::VectorXd singular_values(const Eigen::MatrixXd& a);

}  // namespace matgrad
