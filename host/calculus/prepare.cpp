#include "calculus/prepare.hpp"

#include <algorithm>
#include <unordered_set>

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

bool is_norm(const Expr& e) {
    return e->op == Op::norm2 || e->op == Op::row_norm2 || e->op == Op::col_norm2;
}

bool is_power_below_0_of_norm(const Expr& e) {
    return e->op == Op::power && e->number < 0 && is_norm(e->children.front());
}

bool depends_on(const Expr& e, const std::string& name) {
    return e->symbols != nullptr &&
           std::any_of(e->symbols->begin(), e->symbols->end(),
                       [&name](const Declaration& d) { return d.name == name; });
}

/// Of each entry: n^k for a norm n, and 0 where n is 0; NaN stays.
Expr power_or_0(const Expr& norm, double exponent) {
    const Expr is_positive = apply(Op::step, norm);
    const Expr arguments[] = {norm, subtract(number(1), is_positive)};
    return hadamard(is_positive, power(call(Op::max, arguments), exponent));
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

Expr with_subgradients(const Expr& form, const Expr& f, const std::string& variable) {
    std::unordered_set<Expr> of_f;
    for (const Expr& e : topological_order({&f, 1})) {
        const bool is_log = e->op == Op::log && is_norm(e->children.front());
        if (is_log || is_power_below_0_of_norm(e)) {
            of_f.insert(e->children.front());
        }
    }
    return rebuilt(form, [&](const Expr& node, std::span<const Expr> children) {
        const bool vanishes = is_power_below_0_of_norm(node) && depends_on(node, variable) &&
                              of_f.count(node->children.front()) == 0;
        return vanishes ? power_or_0(children.front(), node->number) : with_images(node, children);
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
