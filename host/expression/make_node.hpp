#pragma once
/// \file From node data to a node: fingerprints and the properties that follow from structure.

#include <optional>

#include "expression/node.hpp"

namespace matgrad::detail {

/// Computes every derived field of `node` and freezes it. The caller guarantees canonical form.
[[nodiscard]] Expr make_node(Node node);
/// The operation over these children, as it stands.
[[nodiscard]] Expr make_node(Op op, std::vector<Expr> children, const Shape& shape);

/// What the operation is of the transpose: of rows what is of columns, tril of triu; nothing for others.
[[nodiscard]] std::optional<Op> turned(Op op);

/// Number, scalar factors and matrix factors of any expression; an expression that is no product is
/// its own only factor.
struct Factors {
    double number = 1;
    std::vector<Expr> scalars;
    std::vector<Expr> matrices;
};
[[nodiscard]] Factors factors_of(const Expr& a);

/// How many matrix factors it has.
[[nodiscard]] std::size_t count_matrix_factors(const Expr& a);

/// The product of ready-made canonical parts: `matrices` holds no product, eye or number.
[[nodiscard]] Expr make_product(Factors factors, const Shape& shape);

/// `a` without its number, and that number: 2*A gives (2, A).
struct Scaled {
    double number = 1;
    Expr base;
};
[[nodiscard]] Scaled split_number(const Expr& a);

/// The number that every entry of a number and of c*ones is.
[[nodiscard]] std::optional<double> constant_value(const Expr& a);

/// True of a constant that is no finite number, or has one in it, and of a product with such a factor:
/// 1/0, log(0), sqrt(-1)*ones, A/0.
[[nodiscard]] bool is_not_finite(const Expr& a);

}  // namespace matgrad::detail
