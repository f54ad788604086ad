#include <algorithm>

#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

/// The node of `op` over one child, as it stands.
Expr unary(Op op, const Expr& child, const Shape& shape) {
    Node node;
    node.op = op;
    node.shape = shape;
    node.children = {child};
    return detail::make_node(std::move(node));
}

Expr transposed_product(const Expr& a) {
    detail::Factors f = detail::factors_of(a);
    std::reverse(f.matrices.begin(), f.matrices.end());
    for (Expr& m : f.matrices) {
        m = transpose(m);
    }
    return detail::make_product(std::move(f), {a.shape().cols, a.shape().rows});
}

}  // namespace

// Products turn around and pass the transpose on to their factors; everything else that has no
// simpler form keeps it outside, so that one transpose makes one node however large `a` is. The
// fingerprint of exp(A)' is that of exp(A') all the same, see node.cpp.
Expr transpose(const Expr& a) {
    if (a.shape().is_scalar() || a->symmetric) {
        return a;
    }
    switch (a->op) {
        case Op::transpose:
            return a->children.front();
        case Op::ones:
            return ones(a.shape().cols, a.shape().rows);
        case Op::product:
            return transposed_product(a);
        case Op::tril:
            return apply(Op::triu, transpose(a->children.front()));
        case Op::triu:
            return apply(Op::tril, transpose(a->children.front()));
        case Op::row_sum:
            return apply(Op::col_sum, transpose(a->children.front()));
        case Op::col_sum:
            return apply(Op::row_sum, transpose(a->children.front()));
        default:
            return unary(Op::transpose, a, {a.shape().cols, a.shape().rows});
    }
}

}  // namespace matgrad
