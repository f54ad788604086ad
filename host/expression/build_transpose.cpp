#include <algorithm>
#include <utility>

#include "expression/build.hpp"
#include "expression/guarded.hpp"
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

/// Functions that turn into another one: tril(A)' = triu(A').
constexpr std::pair<Op, Op> kTurned[] = {{Op::tril, Op::triu},
                                         {Op::triu, Op::tril},
                                         {Op::row_sum, Op::col_sum},
                                         {Op::col_sum, Op::row_sum},
                                         {Op::row_logsumexp, Op::col_logsumexp},
                                         {Op::col_logsumexp, Op::row_logsumexp},
                                         {Op::row_max, Op::col_max},
                                         {Op::col_max, Op::row_max},
                                         {Op::is_row_max, Op::is_col_max},
                                         {Op::is_col_max, Op::is_row_max}};

}  // namespace

// Products turn around and pass the transpose on to their factors; everything else that has no
// simpler form keeps it outside, so that one transpose makes one node however large `a` is. The
// fingerprint of exp(A)' is that of exp(A') all the same, see node.cpp.
Expr transpose(const Expr& a) try {
    require_given(a, "transpose");
    if (a.shape().is_scalar() || a->symmetric) {
        return a;
    }
    if (a->op == Op::transpose) {
        return a->children.front();
    }
    if (a->op == Op::ones) {
        return ones(a.shape().cols, a.shape().rows);
    }
    if (a->op == Op::product) {
        return transposed_product(a);
    }
    for (const auto& [op, turned] : kTurned) {
        if (a->op == op) {
            return apply(turned, transpose(a->children.front()));
        }
    }
    return unary(Op::transpose, a, {a.shape().cols, a.shape().rows});
} catch (...) {
    detail::throw_as_matgrad();
}

Expr differential(const Expr& y) {
    if (y->op == Op::transpose) {
        return transpose(differential(y->children.front()));
    }
    if (y->op == Op::product && y->children.size() == 1) {  // a number times Y
        return scale(y->number, differential(y->children.front()));
    }
    return unary(Op::differential, y, y.shape());
}

}  // namespace matgrad
