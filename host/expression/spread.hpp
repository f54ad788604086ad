#pragma once
/// \file Columns, rows and scalars spread over the matrices that they meet entry by entry.

#include <optional>
#include <span>
#include <vector>

#include "expression/node.hpp"

namespace matgrad::detail {

/// e in each column, in each row, or in each entry of a matrix of that shape: e*ones(1,n),
/// ones(m,1)*e, e*ones(m,n). An e of that shape is itself.
[[nodiscard]] Expr spread(const Expr& e, const Shape& shape);

/// The column of e = m*ones(1,n), or the row of ones(m,1)*m, that e spreads over a matrix; an empty
/// Expr if e is no such product.
[[nodiscard]] Expr unspread(const Expr& e);

/// The shape of operands that meet entry by entry: all scalars, or that of one of them, to which the
/// others can be spread. A column and a row alone have none.
[[nodiscard]] std::optional<Shape> common_shape(std::span<const Expr> operands);

/// The operands, each spread over their common shape but scalars, which the builders spread. They
/// have one.
[[nodiscard]] std::vector<Expr> spread_alike(std::span<const Expr> operands);

}  // namespace matgrad::detail
