#pragma once
/// \file Distances of points from each other.

#include "expression/node.hpp"

namespace matgrad::detail {

/// The root of `a`, where(D > 4e-15*(c + r), root, 0) if squared distances D = c + r - 2*P are the one matrix factor of
/// `a`: of the rows of X and Y as rowsum(X.^2) + rowsum(Y.^2)' - 2*X*Y', or by a Gram matrix G as
/// diag(G) + diag(G)' - 2*G. Where points meet a distance has the derivative 0, and D is what roundings leave.
[[nodiscard]] Expr root_of_distances(const Expr& root, const Expr& a);

}  // namespace matgrad::detail
