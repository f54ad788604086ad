#pragma once
/// \file Entrywise functions of two arguments, and what is kept or 0 by a condition.

#include <span>

#include "expression/node.hpp"

namespace matgrad::detail {

/// The function of two arguments of one shape, in canonical form: max(A, 0) is relu(A), a power by a number is
/// Op::power, a mask that is a constant is gone.
///
/// Errors   UnsupportedError if the order of polygamma is no whole number from 0 to kMostPolygamma.
[[nodiscard]] Expr pair(Op op, const Expr& a, const Expr& b);

inline constexpr int kMostPolygamma = 20;

/// An entrywise product with masks among its factors, or comparisons, as the mask of the product without them:
/// what is masked stays 0 whatever the other factors are there. Else an empty Expr.
[[nodiscard]] Expr masked_product(std::span<const Expr> factors);

}  // namespace matgrad::detail
