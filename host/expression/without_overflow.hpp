#pragma once
/// \file Forms that do not overflow in the place of written ones that do: log(1 + exp(A)) is softplus(A),
/// exp(A)/sum(exp(A)) is exp(A - logsumexp(A)). Both sides are the same function wherever the written
/// one exists; the builders call these, so the forms stand wherever the written ones would.

#include <vector>

#include "expression/make_node.hpp"

namespace matgrad::detail {

/// Z of exp(Z), and Z' of exp(Z)'; else an empty Expr.
[[nodiscard]] Expr exponent_of(const Expr& a);

/// log(a), or log1p(a), without the exponentials, sums of such, sigmoids and determinants in `a`; an
/// empty Expr if `op` is neither or there is no such form.
[[nodiscard]] Expr logarithm(Op op, const Expr& a);

/// a.^exponent as a power of a sigmoid: of 1 + exp(A) to a negative exponent. Else an empty Expr.
[[nodiscard]] Expr logistic_power(const Expr& a, double exponent);

/// A product whose factors, exponentials over sums of such, overflow apart: the same with exponentials
/// that have the sum in their exponent. False, and the factors as they were, if there is none.
[[nodiscard]] bool absorb_divisors(Factors& product);
/// The same of an entrywise product.
[[nodiscard]] bool absorb_divisors(std::vector<Expr>& entrywise_factors);

}  // namespace matgrad::detail
