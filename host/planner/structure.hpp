#pragma once
/// \file Chooses a factorization by what is known of the matrix.

#include <span>
#include <unordered_set>

#include "expression/node.hpp"
#include "planner/chain_order.hpp"

namespace matgrad {

/// How systems with the square matrix `y` are solved: Cholesky where it is known positive (a Gram
/// matrix, a symbol declared spd, sums of such), its own triangle or diagonal where it is declared
/// so, else LU. Never `dense` or `ones`.
[[nodiscard]] LinkKind factor_kind(const Expr& y);

/// True if `y` is a symbol, or the transpose of one, of this structure (of the transpose).
[[nodiscard]] bool is_declared(const Expr& y, Structure structure);

/// The matrices that are inverted or whose logdet is taken somewhere below the forms.
[[nodiscard]] std::unordered_set<Expr> find_factored(std::span<const Expr> forms);

/// A sentence for people: why this factorization.
[[nodiscard]] const char* factor_reason(const Expr& y);

}  // namespace matgrad
