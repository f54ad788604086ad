#pragma once
/// \file det(Y)*inv(Y), which exists where Y is singular, as the matrix of cofactors.

#include <vector>

#include "planner/planner.hpp"

namespace matgrad {

/// The outputs with adj(Y) in place of each product of det(Y) and inv(Y), for the matrices Y that need no inverse
/// then; those that are known to be positive have a Cholesky factor and stay.
[[nodiscard]] std::vector<OutputRequest> with_adjugates(std::vector<OutputRequest> outputs);

}  // namespace matgrad
