#pragma once
/// \file Builders of expressions: the only way to make a node. matgrad/build.hpp has those for everybody.
///
/// Each function returns the canonical form of what its name says (see node.hpp), having applied
/// the identities that never cost anything: (A')' = A, (A*B)' = B'*A', 0 + A = A, A*eye = A,
/// A*inv(A) = eye, inv(A*B) = inv(B)*inv(A) for square factors, tr(A') = tr(A), and so on
/// (tests/expression/rewrite_test.cpp is the table). They never multiply out a sum.
///
/// Shapes   must fit already (the parser checks and explains); a misfit is a ShapeError.
/// Cost     linear in the number of direct children.

#include <span>
#include <string>
#include <vector>

#include "expression/functions.hpp"
#include "expression/node.hpp"
#include "matgrad/build.hpp"

namespace matgrad {

// number, symbol, eye and ones (the number 1 if 1x1), transpose and dot are those of matgrad/build.hpp.
/// The columns of the identity of order n from `first` on, counted from 1: E with E'*X and Y*E some rows of X and
/// columns of Y. The identity itself where that is all of them. Shapes: n-by-count, inside the identity.
[[nodiscard]] Expr unit_columns(const Dim& n, std::int64_t first, const Dim& count);
[[nodiscard]] Expr zeros(const Shape& shape);  ///< 0*ones, or the number 0
/// A symbol under a name that the language cannot write, so that it is never one of a caller's.
[[nodiscard]] Expr hidden_symbol(const Declaration& declaration);

/// Sum of terms; 1x1 terms are broadcast (s + A is s*ones + A) if any term is not 1x1.
[[nodiscard]] Expr add(std::span<const Expr> terms);
[[nodiscard]] Expr add(const Expr& a, const Expr& b);
[[nodiscard]] Expr subtract(const Expr& a, const Expr& b);
[[nodiscard]] Expr negate(const Expr& a);
[[nodiscard]] Expr scale(double factor, const Expr& a);

/// Matrix product; any 1x1 factor is a scalar and commutes.
[[nodiscard]] Expr multiply(std::span<const Expr> factors);
[[nodiscard]] Expr multiply(const Expr& a, const Expr& b);
[[nodiscard]] Expr multiply(const Expr& a, const Expr& b, const Expr& c);
/// Entrywise product; 1x1 factors scale.
[[nodiscard]] Expr hadamard(std::span<const Expr> factors);
[[nodiscard]] Expr hadamard(const Expr& a, const Expr& b);
/// Entrywise quotient a ./ b, either may be 1x1.
[[nodiscard]] Expr divide(const Expr& a, const Expr& b);
[[nodiscard]] Expr power(const Expr& a, double exponent);      ///< entrywise
[[nodiscard]] Expr matrix_power(const Expr& a, int exponent);  ///< square a; a product of factors
[[nodiscard]] Expr inverse(const Expr& a);

/// Any function of one argument, of a matrix or of each entry; also transpose and differential.
[[nodiscard]] Expr apply(Op op, const Expr& a);
/// Any function; scalars among several arguments are spread over the shape of the others.
[[nodiscard]] Expr call(Op op, std::span<const Expr> arguments);
/// Any function as it is written: diag is either of two, by the shape of its argument.
[[nodiscard]] Expr call_as_written(Op op, std::span<const Expr> arguments);
/// The atom d(Y) of a derivation; of Y's shape.
[[nodiscard]] Expr differential(const Expr& y);

/// The node with other children, rebuilt through the builders above.
[[nodiscard]] Expr with_children(const Expr& a, std::span<const Expr> children);

/// True for the number 0 and for 0*anything.
[[nodiscard]] bool is_zero(const Expr& a);
[[nodiscard]] bool is_number(const Expr& a, double value);

}  // namespace matgrad
