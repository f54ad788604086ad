#pragma once
/// \file Common factors of a sum: P*A*Q + P*B*Q = P*(A + B)*Q.

#include <span>

#include "expression/node.hpp"

namespace matgrad {

/// The sum of `terms` with common leading and trailing factors taken out wherever that costs no
/// more operations at any of a spread of sizes (X*b*c' + X*c*b' stays: two outer products are
/// cheaper than a product with X). Never multiplies out.
///
/// Cost     grows with the square of the number of terms; sums of more than 32 terms or of more than
///          64 matrix factors in all are only added up.
[[nodiscard]] Expr factored_sum(std::span<const Expr> terms);

}  // namespace matgrad
