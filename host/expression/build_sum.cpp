#include <algorithm>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/weighted_terms.hpp"

namespace matgrad {
namespace {

using detail::WeightedTerms;

void insert(WeightedTerms& sum, double factor, const Expr& term) {
    const detail::Scaled scaled = detail::split_number(term);
    sum.add(factor * scaled.number, scaled.base);
}

/// +-(A + B) and +-(A + B)' open; a sum with any other number stays in its bracket.
WeightedTerms opened(const WeightedTerms& sum) {
    WeightedTerms result;
    for (const WeightedTerms::Term& t : sum.terms()) {
        const bool turned = t.base->op == Op::transpose;
        const Expr& inside = turned ? t.base->children.front() : t.base;
        if (inside->op == Op::add && (t.weight == 1 || t.weight == -1)) {
            for (const Expr& inner : inside->children) {
                insert(result, t.weight, turned ? transpose(inner) : inner);
            }
        } else {
            insert(result, t.weight, t.base);
        }
    }
    return result;
}

/// tril(W) + triu(W) - diag(diag(W)) is W, as in gradients through chol.
WeightedTerms with_whole_triangles(const WeightedTerms& sum) {
    const auto lower = [](const WeightedTerms::Term& t) {
        return t.base->op == Op::tril && t.base.shape().is_square() && t.weight != 0;
    };
    const auto begin = sum.terms().begin();
    const auto end = sum.terms().end();
    const auto at = std::find_if(begin, end, lower);
    if (at == end) {
        return sum;
    }
    const Expr& w = at->base->children.front();
    const Expr upper = apply(Op::triu, w);
    const Expr diagonal = apply(Op::diag_matrix, apply(Op::diag_vector, w));
    const auto has = [&](const Expr& base, double weight) {
        return std::any_of(begin, end, [&](const WeightedTerms::Term& t) {
            return t.base == base && t.weight == weight;
        });
    };
    if (!has(upper, at->weight) || !has(diagonal, -at->weight)) {
        return sum;
    }
    WeightedTerms result;
    for (const WeightedTerms::Term& t : sum.terms()) {
        if (t.base == at->base) {
            insert(result, t.weight, w);
        } else if (t.base != upper && t.base != diagonal) {
            result.add(t.weight, t.base);
        }
    }
    return result;
}

}  // namespace

Expr zeros(const Shape& shape) {
    return shape.is_scalar() ? number(0) : scale(0, ones(shape.rows, shape.cols));
}

bool is_zero(const Expr& a) {
    if (a->op == Op::product) {  // with other factors it is not finite times 0
        return a->number == 0 && a->children.size() == 1 && a->children.front()->op == Op::ones;
    }
    return a->op == Op::number && a->number == 0;
}

Expr add(std::span<const Expr> terms) {
    Shape shape = Shape::scalar();
    for (const Expr& t : terms) {
        if (t.shape().is_scalar()) {
            continue;
        }
        if (!shape.is_scalar() && shape != t.shape()) {
            throw ShapeError("sum of " + shape.text() + " and " + t.shape().text());
        }
        shape = t.shape();
    }
    WeightedTerms collected;
    for (const Expr& t : terms) {
        const bool spread = t.shape().is_scalar() && !shape.is_scalar();
        insert(collected, 1, spread ? multiply(t, ones(shape.rows, shape.cols)) : t);
    }
    std::vector<Expr> kept = with_whole_triangles(opened(collected)).made(scale);
    if (kept.empty()) {
        return zeros(shape);
    }
    if (kept.size() == 1) {
        return kept.front();
    }
    Node node;
    node.op = Op::add;
    node.shape = shape;
    node.children = std::move(kept);
    return detail::make_node(std::move(node));
}

Expr add(const Expr& a, const Expr& b) {
    const Expr terms[] = {a, b};
    return add(terms);
}

Expr subtract(const Expr& a, const Expr& b) {
    return add(a, negate(b));
}

Expr negate(const Expr& a) {
    return scale(-1, a);
}

}  // namespace matgrad
