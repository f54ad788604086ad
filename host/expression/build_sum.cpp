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
    std::vector<Expr> kept = opened(collected).made(scale);
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
