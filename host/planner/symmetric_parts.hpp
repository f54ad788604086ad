#pragma once
/// \file Of a matrix in a quadratic form only its symmetric part counts: Z'*M*Z is Z'*(M + M')*Z/2.

#include "expression/node.hpp"

namespace matgrad {

/// tr(Z'*(M + M')*Z)/2 for every tr(Z'*M*Z) of which M is not known to be symmetric, however it is written: as the
/// trace or scalar product of any turn of Z'*M*Z, with further symmetric factors between Z and Z'. The gradient
/// has (M + M')*Z, and so has the value then. Nothing is lost: a sum of M and M' is no larger than its terms.
[[nodiscard]] Expr with_symmetric_parts(const Expr& e);

}  // namespace matgrad
