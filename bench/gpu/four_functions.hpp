#pragma once
/// \file The four functions, their closed forms in double and what evaluating them costs at least.

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad::bench {

using Matrix = Eigen::MatrixXd;

/// Value and gradient of one problem, each with a bound on the absolute error of evaluating it in
/// arithmetic of unit roundoff 1: sums of magnitudes times the terms that are added up.
struct ClosedForm {
    double value = 0, value_error = 0;
    Matrix gradient;
    double gradient_error = 0;  ///< of the largest entry
};

struct Function {
    std::string name;
    std::string text;
    std::string wrt;
    std::vector<Operand> operands;
    /// Operands of one problem, in the order above. `squared`: the Gram matrix is as exact as the
    /// data, so errors grow with the square of the condition.
    ClosedForm (*closed_form)(const std::vector<Matrix>& operands, bool squared);
    /// Multiplications and additions for value and gradient of one problem, what is shared by the
    /// batch not counted.
    double operations = 0;
};

[[nodiscard]] std::vector<Function> four_functions();

}  // namespace matgrad::bench
