#pragma once
/// \file Words that stand for what other words say: what they are of an argument of a shape that fits.

#include "expression/node.hpp"

namespace matgrad::detail {

[[nodiscard]] Expr rows_of(const Expr& a);  ///< dim(m)
[[nodiscard]] Expr cols_of(const Expr& a);
[[nodiscard]] Expr mean_of(const Expr& a);      ///< sum(A)/dim(m)/dim(n)
[[nodiscard]] Expr variance_of(const Expr& a);  ///< the mean of (A - mean(A)).^2
[[nodiscard]] Expr row_mean_of(const Expr& a);
[[nodiscard]] Expr col_mean_of(const Expr& a);
[[nodiscard]] Expr softmax_of(const Expr& a);  ///< exp(v - logsumexp(v))
[[nodiscard]] Expr row_softmax_of(const Expr& a);
[[nodiscard]] Expr col_softmax_of(const Expr& a);

}  // namespace matgrad::detail
