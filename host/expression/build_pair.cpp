#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/pairs.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad::detail {
namespace {

/// max or min: a constant comes second, and max(A, 0) is relu(A).
Expr extremum(Op op, const Expr& a, const Expr& b) {
    if (a == b) {
        return a;
    }
    if (constant_value(a) && !constant_value(b)) {
        return extremum(op, b, a);
    }
    if (op == Op::max && constant_value(b) == 0) {
        return apply(Op::relu, a);
    }
    return make_node(op, {a, b}, a.shape());
}

Expr raised(const Expr& a, const Expr& exponent) {
    if (const std::optional<double> k = constant_value(exponent)) {
        return power(a, *k);
    }
    return a->op == Op::ones ? a : make_node(Op::entry_power, {a, exponent}, a.shape());
}

/// A.*log(B); where the logarithm has a form that does not overflow, that one, under a mask.
Expr times_log(const Expr& a, const Expr& b) {
    const std::optional<double> factor = constant_value(a);
    if (factor && *factor != 0) {
        return scale(*factor, apply(Op::log, b));
    }
    const Expr safe = logarithm(Op::log, b);
    return safe ? pair(Op::mask, hadamard(a, safe), a) : make_node(Op::xlogy, {a, b}, a.shape());
}

Expr polygamma_of(const Expr& order, const Expr& a) {
    const std::optional<double> k = constant_value(order);
    if (!k || *k < 0 || *k > kMostPolygamma || std::trunc(*k) != *k) {
        throw UnsupportedError(
            fmt::format("polygamma: the order is {}, expected a whole number from 0 to {}",
                        k ? fmt::format("{}", *k) : "no number", kMostPolygamma));
    }
    if (*k <= 1) {
        return apply(*k == 0 ? Op::digamma : Op::trigamma, a);
    }
    return make_node(Op::polygamma, {order, a}, order.shape());
}

bool is_comparison(const Expr& a) {
    return a->op == Op::less || a->op == Op::less_equal;
}

/// True of a positive scalar, and of that of every entry.
bool is_declared_positive(const Expr& a) {
    const Factors f = factors_of(a);
    const bool alone = f.number != 0 && f.scalars.size() == 1 &&
                       (f.matrices.empty() || f.matrices.front()->op == Op::ones);
    return alone && f.scalars.front()->op == Op::symbol &&
           f.scalars.front()->structure == Structure::positive;
}

/// `a` where `condition` is not 0, for unmask where it is 0, and 0 elsewhere.
Expr masked(Op op, const Expr& a, const Expr& condition) {
    const std::optional<double> constant = constant_value(condition);
    if (constant || is_declared_positive(condition)) {
        const bool holds = !constant || *constant != 0;
        return holds == (op == Op::mask) ? a : zeros(a.shape());
    }
    if (constant_value(a) == 0) {
        return a;
    }
    if (constant_value(a) == 1 && op == Op::mask && is_comparison(condition)) {
        return condition;
    }
    if (const Scaled scaled = split_number(a); scaled.number != 1 && !constant_value(a)) {
        return scale(scaled.number, masked(op, scaled.base, condition));
    }
    if ((a->op == Op::mask || a->op == Op::unmask) && a->children[1] == condition) {
        return a->op == op ? a : zeros(a.shape());
    }
    return make_node(op, {a, condition}, a.shape());
}

struct Mask {
    Op op = Op::mask;
    Expr condition;
};

/// Takes the masks off one factor; comparisons too, where they are asked for.
void take_masks(Expr& factor, bool comparisons, std::vector<Mask>& masks) {
    for (;;) {
        const bool turned = factor->op == Op::transpose;
        const Expr core = turned ? factor->children.front() : factor;
        if (comparisons && is_comparison(core)) {
            masks.push_back({Op::mask, factor});
            factor = ones(factor.shape().rows, factor.shape().cols);
            return;
        }
        if (core->op != Op::mask && core->op != Op::unmask) {
            return;
        }
        const Expr& condition = core->children[1];
        masks.push_back({core->op, turned ? transpose(condition) : condition});
        factor = turned ? transpose(core->children[0]) : core->children[0];
    }
}

/// The product of what is left of its factors.
Expr without_masks(const Expr& factor, bool comparisons, std::vector<Mask>& masks) {
    Factors parts = factors_of(factor);
    for (Expr& s : parts.scalars) {
        take_masks(s, comparisons, masks);
    }
    if (parts.matrices.size() == 1) {
        take_masks(parts.matrices.front(), comparisons, masks);
    }
    std::vector<Expr> left{number(parts.number)};
    left.insert(left.end(), parts.scalars.begin(), parts.scalars.end());
    left.insert(left.end(), parts.matrices.begin(), parts.matrices.end());
    return multiply(left);
}

/// True of a sum of masks, as a part of a gradient that two functions of one argument make.
bool is_sum_of_masks(const Expr& a) {
    return a->op == Op::add &&
           std::all_of(a->children.begin(), a->children.end(), [](const Expr& t) {
               const Expr base = split_number(t).base;
               return base->op == Op::mask || base->op == Op::unmask || is_comparison(base);
           });
}

/// The product with a sum of masks term by term: the one sum that is multiplied out, since what all terms mask stays 0
/// only so. Of two such sums, which would make many terms, neither; an empty Expr where there is not one.
Expr times_sum_of_masks(std::span<const Expr> factors) {
    const auto sum = std::find_if(factors.begin(), factors.end(), is_sum_of_masks);
    if (factors.size() < 2 || sum == factors.end() ||
        std::find_if(sum + 1, factors.end(), is_sum_of_masks) != factors.end()) {
        return {};
    }
    std::vector<Expr> product(factors.begin(), factors.end());
    std::vector<Expr> terms;
    for (const Expr& term : (*sum)->children) {
        product[static_cast<std::size_t>(sum - factors.begin())] = term;
        terms.push_back(hadamard(product));
    }
    return add(terms);
}

}  // namespace

Expr pair(Op op, const Expr& a, const Expr& b) {
    switch (op) {
        case Op::max:
        case Op::min:
            return extremum(op, a, b);
        case Op::entry_power:
            return raised(a, b);
        case Op::xlogy:
            return times_log(a, b);
        case Op::polygamma:
            return polygamma_of(a, b);
        case Op::mask:
        case Op::unmask:
            return masked(op, a, b);
        default:
            return make_node(op, {a, b}, a.shape());
    }
}

Expr masked_product(std::span<const Expr> factors) {
    if (const Expr sum = times_sum_of_masks(factors)) {
        return sum;
    }
    // A comparison alone, or with constants, is what it is: 2*(A < B).
    const auto varied = std::count_if(factors.begin(), factors.end(),
                                      [](const Expr& f) { return !constant_value(f); });
    std::vector<Mask> masks;
    std::vector<Expr> left;
    for (const Expr& factor : factors) {
        left.push_back(without_masks(factor, varied > 1, masks));
    }
    if (masks.empty()) {
        return {};
    }
    Expr product = hadamard(left);
    for (const Mask& m : masks) {
        const Expr arguments[] = {product, m.condition};
        product = call(m.op, arguments);
    }
    return product;
}

}  // namespace matgrad::detail
