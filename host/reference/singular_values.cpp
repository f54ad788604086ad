#include "reference/singular_values.hpp"

namespace matgrad {

Eigen::VectorXd singular_values(const Eigen::MatrixXd& a) {
    return Eigen::BDCSVD<Eigen::MatrixXd>(a).singularValues();
}

}  // namespace matgrad
