#include "planner/symmetric_parts.hpp"

#include <optional>
#include <vector>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

/// Longer products are left alone: the search takes the square of the length.
constexpr std::size_t kLongestRing = 32;

/// Whether a ring of factors, read backwards from factor k as transposes, is itself but for that factor.
bool is_axis(const std::vector<Expr>& ring, std::size_t k) {
    const std::size_t n = ring.size();
    for (std::size_t j = 1; 2 * j <= n; ++j) {
        if (ring[(k + j) % n] != transpose(ring[(k + n - j) % n])) {
            return false;
        }
    }
    return true;
}

/// The factor of which the symmetric part alone counts.
std::optional<std::size_t> find_axis(const std::vector<Expr>& ring) {
    if (ring.size() < 2 || ring.size() > kLongestRing) {
        return std::nullopt;
    }
    for (std::size_t k = 0; k < ring.size(); ++k) {
        if (ring[k].shape().is_square() && !ring[k].shape().is_scalar() && !ring[k]->symmetric &&
            is_axis(ring, k)) {
            return k;
        }
    }
    return std::nullopt;
}

/// `trace` of half the product of these factors with M + M' for M, or `e` where no factor is such an M.
Expr with_symmetric_part(const Expr& e, std::vector<Expr> factors) {
    const std::optional<std::size_t> k = find_axis(factors);
    if (!k) {
        return e;
    }
    factors[*k] = add(factors[*k], transpose(factors[*k]));
    return scale(0.5, apply(Op::trace, multiply(factors)));
}

Expr of_trace(const Expr& e) {
    const Expr& y = e->children.front();
    if (y->op != Op::add) {
        return with_symmetric_part(e, detail::factors_of(y).matrices);
    }
    std::vector<Expr> traces;
    bool changed = false;
    for (const Expr& term : y->children) {
        const detail::Scaled part = detail::split_number(term);
        const Expr trace = apply(Op::trace, part.base);
        const Expr image = trace->op == Op::trace ? of_trace(trace) : trace;
        changed = changed || image != trace;
        traces.push_back(scale(part.number, image));
    }
    return changed ? add(traces) : e;
}

Expr of_dot(const Expr& e) {
    std::vector<Expr> ring = detail::factors_of(transpose(e->children[0])).matrices;
    const std::vector<Expr> right = detail::factors_of(e->children[1]).matrices;
    ring.insert(ring.end(), right.begin(), right.end());
    return with_symmetric_part(e, std::move(ring));
}

/// A 1x1 product of matrices is a node without scalar factors.
Expr of_product(const Expr& e) {
    return e.shape().is_scalar() && e->num_scalars == 0 ? with_symmetric_part(e, e->children) : e;
}

}  // namespace

Expr with_symmetric_parts(const Expr& e) {
    return rebuilt(e, [](const Expr& node, std::span<const Expr> children) {
        const Expr image = with_images(node, children);
        switch (image->op) {
            case Op::trace:
                return of_trace(image);
            case Op::dot:
                return of_dot(image);
            case Op::product:
                return of_product(image);
            default:
                return image;
        }
    });
}

}  // namespace matgrad
