#include <unordered_map>

#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

/// Terms of a sum under construction: equal ones are merged where they first appeared.
class Terms {
public:
    void insert(double factor, const Expr& term) {
        const detail::Scaled scaled = detail::split_number(term);
        const auto [at, is_new] = index_.try_emplace(scaled.base, terms_.size());
        if (is_new) {
            terms_.push_back({factor * scaled.number, scaled.base});
        } else {
            terms_[at->second].number += factor * scaled.number;
        }
    }

    /// +-(A + B) and +-(A + B)' open; a sum with any other number stays in its bracket.
    [[nodiscard]] Terms opened() const {
        Terms result;
        for (const detail::Scaled& t : terms_) {
            const bool turned = t.base->op == Op::transpose;
            const Expr& sum = turned ? t.base->children.front() : t.base;
            if (sum->op == Op::add && (t.number == 1 || t.number == -1)) {
                for (const Expr& inner : sum->children) {
                    result.insert(t.number, turned ? transpose(inner) : inner);
                }
            } else {
                result.insert(t.number, t.base);
            }
        }
        return result;
    }

    [[nodiscard]] std::vector<Expr> take() const {
        std::vector<Expr> result;
        for (const detail::Scaled& t : terms_) {
            if (t.number != 0) {
                result.push_back(scale(t.number, t.base));
            }
        }
        return result;
    }

private:
    std::vector<detail::Scaled> terms_;
    std::unordered_map<Expr, std::size_t> index_;
};

}  // namespace

Expr zeros(const Shape& shape) {
    return shape.is_scalar() ? number(0) : scale(0, ones(shape.rows, shape.cols));
}

bool is_zero(const Expr& a) {
    return (a->op == Op::number || a->op == Op::product) && a->number == 0;
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
    Terms collected;
    for (const Expr& t : terms) {
        const bool spread = t.shape().is_scalar() && !shape.is_scalar();
        collected.insert(1, spread ? multiply(t, ones(shape.rows, shape.cols)) : t);
    }
    std::vector<Expr> kept = collected.opened().take();
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
