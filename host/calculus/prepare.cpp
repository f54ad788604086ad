#include "calculus/prepare.hpp"

#include "calculus/factor.hpp"
#include "expression/build.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

bool is_constant_orthogonal(const Expr& a, const std::function<bool(const Expr&)>& is_variable) {
    return a->op == Op::symbol && a->structure == Structure::orthogonal && a.shape().is_square() &&
           !is_variable(a);
}

/// One node with its children rewritten already.
Expr rewritten(const Expr& a, const std::function<bool(const Expr&)>& is_variable) {
    if (a->op == Op::inverse && is_constant_orthogonal(a->children.front(), is_variable)) {
        return transpose(a->children.front());
    }
    return without_norm_of_even_power(a);
}

/// (G + G')/2; terms that are symmetric already stay as they are.
Expr symmetrised(const Expr& g) {
    std::vector<Expr> result;
    std::vector<Expr> rest;
    for (const Expr& t : g->op == Op::add ? g->children : std::vector<Expr>{g}) {
        (t->symmetric ? result : rest).push_back(t);
    }
    if (!rest.empty()) {
        const Expr half = add(rest);
        const Expr both[] = {half, transpose(half)};
        result.push_back(scale(0.5, factored_sum(both)));
    }
    return add(result);
}

}  // namespace

Expr prepared(const Expr& f, const std::function<bool(const Expr&)>& is_variable) {
    return rebuilt(f, [&](const Expr& node, std::span<const Expr> children) {
        return rewritten(with_images(node, children), is_variable);
    });
}

Expr projected(const Expr& gradient, const Expr& variable, Convention convention) {
    const Expr& g = gradient;
    switch (variable->structure) {
        case Structure::symmetric:
        case Structure::positive: {
            if (convention == Convention::projected) {
                return symmetrised(g);
            }
            const Expr diagonal = apply(Op::diag_matrix, apply(Op::diag_vector, g));
            return subtract(scale(2, symmetrised(g)), diagonal);
        }
        case Structure::diagonal:
            return apply(Op::diag_matrix, apply(Op::diag_vector, g));
        case Structure::lower:
            return apply(Op::tril, g);
        case Structure::upper:
            return apply(Op::triu, g);
        case Structure::general:
        case Structure::orthogonal:
            return g;
    }
    return g;
}

}  // namespace matgrad
