#include <algorithm>
#include <utility>

#include "expression/build.hpp"
#include "expression/guarded.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

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
    if (const std::optional<Op> turned = detail::turned(a->op)) {
        return apply(*turned, transpose(a->children.front()));
    }
    return detail::make_node(Op::transpose, {a}, {a.shape().cols, a.shape().rows});
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
    return detail::make_node(Op::differential, {y}, y.shape());
}

}  // namespace matgrad
