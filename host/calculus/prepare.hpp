#pragma once
/// \file Rewrites before and after differentiation.

#include <functional>

#include "expression/node.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {

/// f in the form the rules like best: norm2(Y)^2k becomes dot(Y,Y)^k, and inv(Q) of a constant
/// orthogonal Q becomes Q'. (a/b)^2 is a^2/b^2 by construction.
[[nodiscard]] Expr prepared(const Expr& f, const std::function<bool(const Expr&)>& is_variable);

/// The gradient within the structure the variable was declared with: (G + G')/2 for sym and spd
/// (or G + G' - diag(G) by the convention), the kept part for diag, lower and upper.
[[nodiscard]] Expr projected(const Expr& gradient, const Expr& variable, Convention convention);

}  // namespace matgrad
