#pragma once
/// \file The oracle: an expression and its differential evaluated naively in double.
///
/// Shares nothing with calculus, planner or executors: values are computed node by node with
/// Eigen, the differential forward beside them by the textbook rules. Slow on purpose.

#include <Eigen/Dense>
#include <cstdint>
#include <map>
#include <string>

#include "expression/node.hpp"

namespace matgrad {

/// Matrices by symbol name; vectors are n-by-1, scalars 1-by-1.
using MatrixMap = std::map<std::string, Eigen::MatrixXd, std::less<>>;

/// A value and its differential in the given direction.
struct Dual {
    Eigen::MatrixXd value;
    Eigen::MatrixXd differential;
};

/// The value of `expr`. `values` holds every symbol; sizes of named dimensions that no symbol has
/// (eye(n) alone) come from `dims`.
///
/// Errors   OperandError for a missing symbol, ShapeError where sizes contradict the shapes.
[[nodiscard]] Eigen::MatrixXd evaluate_reference(
    const Expr& expr, const MatrixMap& values,
    const std::map<std::string, std::int64_t>& dims = {});

/// The value and d(expr) where the symbols in `directions` move by what they hold there (all others
/// are constant). An atom d(Y) of a derivation line has as its value the differential of Y.
[[nodiscard]] Dual evaluate_differential(const Expr& expr, const MatrixMap& values,
                                         const MatrixMap& directions,
                                         const std::map<std::string, std::int64_t>& dims = {});

}  // namespace matgrad
