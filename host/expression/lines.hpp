#pragma once
/// \file Functions of each row or column of a matrix.

#include "expression/node.hpp"

namespace matgrad::detail {

/// Sum, logsumexp or Euclidean norm of each row or column. Of what is one entry long it is that entry, of all there is
/// the function of all entries.
[[nodiscard]] Expr of_lines(Op op, const Expr& a);

/// The largest entry of each row or column, or 1 where it is; each entry is the largest of a line of one.
[[nodiscard]] Expr largest_of_lines(Op op, const Expr& a);

}  // namespace matgrad::detail
