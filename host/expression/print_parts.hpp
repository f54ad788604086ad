#pragma once
/// \file What the printers have in common: products as fractions, scalars spread over a sum.

#include <vector>

#include "expression/node.hpp"

namespace matgrad::detail {

struct Powered {
    Expr base;
    double exponent = 1;  ///< positive, unless the base is a constant
};

/// number * scalars * matrices * entries ./ entries_below / scalars_below, where the entrywise
/// factors are there only if the product has no other matrix factor.
struct Fraction {
    double number = 1;
    std::vector<Powered> scalars;
    std::vector<Powered> scalars_below;
    std::vector<Expr> matrices;
    std::vector<Powered> entries;
    std::vector<Powered> entries_below;
};

/// Errors   UnsupportedError if the expression, written out, is past what anybody reads: shared
///          subexpressions repeat in text, so a small DAG may have a text of any length.
void require_printable(const Expr& e);

/// Takes any expression apart.
[[nodiscard]] Fraction split_product(const Expr& e);

/// The terms of a sum, where a term s*ones(m,n) beside a matrix is the scalar s.
[[nodiscard]] std::vector<Expr> spread_scalars(const Expr& sum);

/// The arguments of a function as they are written: those of an entrywise one like terms of a sum.
[[nodiscard]] std::vector<Expr> arguments_of(const Expr& call);

}  // namespace matgrad::detail
