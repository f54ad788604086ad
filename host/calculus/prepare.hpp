#pragma once
/// \file Rewrites before and after differentiation.

#include <functional>
#include <string>

#include "expression/node.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {

/// f in the form the rules like best: norm2(Y)^2k becomes dot(Y,Y)^k, and inv(Q) of a constant
/// orthogonal Q becomes Q'. (a/b)^2 is a^2/b^2 by construction.
[[nodiscard]] Expr prepared(const Expr& f, const std::function<bool(const Expr&)>& is_variable);

/// A derivative of f by the variable of that name, with the value 0 of X/norm2(X) and of its like at
/// X = 0, the subgradient of least norm: a negative power of a norm2 that depends on the variable is 0
/// where the norm is 0. Where f itself has a negative power or the logarithm of that norm, f has no value
/// there, and the form stays as it is.
[[nodiscard]] Expr with_subgradients(const Expr& form, const Expr& f, const std::string& variable);

/// The gradient within the structure the variable was declared with: (G + G')/2 for sym and spd
/// (or G + G' - diag(G) by the convention), the kept part for diag, lower and upper.
[[nodiscard]] Expr projected(const Expr& gradient, const Expr& variable, Convention convention);

}  // namespace matgrad
