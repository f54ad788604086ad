#pragma once
/// \file Sums of products with a common end: P*A*Q + P*B*Q is P*(A + B)*Q.

#include <functional>
#include <vector>

#include "expression/node.hpp"

namespace matgrad {

/// Matrix operations of one product or of anything else that a term may be, per problem.
using ProductCost = std::function<double(std::span<const Expr> factors)>;

/// The expression with common ends of the terms of its sums pulled out wherever `cost` says that
/// this saves matrix operations. The opposite, distributing, is never done.
[[nodiscard]] Expr factor_sums(const Expr& e, const ProductCost& cost);

}  // namespace matgrad
