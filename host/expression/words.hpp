#pragma once
/// \file Words that stand for what other words say: what they are of arguments whose shapes fit.

#include <span>

#include "expression/node.hpp"

namespace matgrad::detail {

using Arguments = std::span<const Expr>;

[[nodiscard]] Expr solution_of(Arguments arguments);  ///< inv(A)*B
[[nodiscard]] Expr rows_of(Arguments arguments);      ///< dim(m)
[[nodiscard]] Expr cols_of(Arguments arguments);
[[nodiscard]] Expr mean_of(Arguments arguments);      ///< sum(A)/dim(m)/dim(n)
[[nodiscard]] Expr variance_of(Arguments arguments);  ///< the mean of (A - mean(A)).^2
[[nodiscard]] Expr row_mean_of(Arguments arguments);
[[nodiscard]] Expr col_mean_of(Arguments arguments);
[[nodiscard]] Expr softmax_of(Arguments arguments);  ///< exp(v - logsumexp(v))
[[nodiscard]] Expr row_softmax_of(Arguments arguments);
[[nodiscard]] Expr col_softmax_of(Arguments arguments);
[[nodiscard]] Expr cumulative_sum_of(Arguments arguments);  ///< tril(ones(n,n))*v
[[nodiscard]] Expr row_cumulative_sum_of(Arguments arguments);
[[nodiscard]] Expr col_cumulative_sum_of(Arguments arguments);
[[nodiscard]] Expr where_of(Arguments arguments);  ///< A where C is not 0, and B where it is
[[nodiscard]] Expr clip_of(Arguments arguments);   ///< min(max(A, lo), hi)

}  // namespace matgrad::detail
