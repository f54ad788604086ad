#include <fmt/format.h>

#include <cmath>

#include "expression/build.hpp"
#include "expression/distances.hpp"
#include "expression/make_node.hpp"
#include "expression/pairs.hpp"
#include "expression/spread.hpp"
#include "expression/weighted_terms.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad {
namespace {

using detail::WeightedTerms;

bool is_integer(double x) {
    return std::trunc(x) == x;
}

/// Entrywise factors with their exponents.
void insert(WeightedTerms& factors, const Expr& e, double exponent = 1) {
    const bool turned = e->op == Op::transpose;
    const Expr& core = turned ? e->children.front() : e;
    if (core->op == Op::hadamard && is_integer(exponent)) {
        for (const Expr& c : core->children) {
            insert(factors, turned ? transpose(c) : c, exponent);
        }
    } else if (core->op == Op::power && is_integer(exponent)) {
        const Expr& base = core->children.front();
        insert(factors, turned ? transpose(base) : base, core->number * exponent);
    } else if (e->op != Op::ones) {
        factors.add(exponent, e);
    }
}

}  // namespace

Expr hadamard(std::span<const Expr> factors) {
    if (const Expr masked = detail::masked_product(factors)) {
        return masked;
    }
    Shape shape = Shape::scalar();
    std::vector<Expr> outside;  // numbers and 1x1 factors
    WeightedTerms inside;
    for (const Expr& factor : factors) {
        if (factor.shape().is_scalar()) {
            outside.push_back(factor);
            continue;
        }
        if (!shape.is_scalar() && shape != factor.shape()) {
            throw ShapeError("entrywise product of " + shape.text() + " and " +
                             factor.shape().text());
        }
        shape = factor.shape();
        detail::Factors parts = detail::factors_of(factor);
        outside.push_back(number(parts.number));
        outside.insert(outside.end(), parts.scalars.begin(), parts.scalars.end());
        insert(inside, detail::make_product({1, {}, std::move(parts.matrices)}, factor.shape()));
    }
    if (shape.is_scalar()) {
        return multiply(outside);
    }
    std::vector<Expr> kept = inside.made([](double exponent, const Expr& base) {
        return exponent == 0 ? scale(0, base) : power(base, exponent);  // 0*infinity is NaN
    });
    if (detail::absorb_divisors(kept)) {
        outside.push_back(hadamard(kept));
        return multiply(outside);
    }
    Expr matrix;
    if (kept.empty()) {
        matrix = ones(shape.rows, shape.cols);
    } else if (kept.size() == 1) {
        matrix = kept.front();
    } else {
        Node node;
        node.op = Op::hadamard;
        node.shape = shape;
        node.children = std::move(kept);
        matrix = detail::make_node(std::move(node));
    }
    outside.push_back(matrix);
    return multiply(outside);
}

Expr hadamard(const Expr& a, const Expr& b) {
    const Expr factors[] = {a, b};
    return hadamard(factors);
}

Expr divide(const Expr& a, const Expr& b) {
    return hadamard(a, power(b, -1));
}

Expr power(const Expr& a, double exponent) {
    if (!std::isfinite(exponent)) {
        throw UnsupportedError("an exponent overflows");
    }
    if (exponent == 1) {
        return a;
    }
    if (exponent == 0) {
        return ones(a.shape().rows, a.shape().cols);
    }
    if (a->op == Op::number) {
        const double value = std::pow(a->number, exponent);
        if (value == 0 && a->number != 0) {
            throw UnsupportedError(
                fmt::format("the constant power {}^{} underflows to 0", a->number, exponent));
        }
        if (std::isfinite(value)) {
            return number(value);
        }
    }
    if (a->op == Op::ones) {
        return a;
    }
    if (const Expr line = detail::unspread(a)) {
        return detail::spread(power(line, exponent), a.shape());
    }
    const bool is_line_norm = a->op == Op::row_norm2 || a->op == Op::col_norm2;
    if (is_line_norm && exponent > 0 && std::fmod(exponent, 2) == 0) {  // no root to square
        const Op sums = a->op == Op::row_norm2 ? Op::row_sum : Op::col_sum;
        return power(apply(sums, power(a->children.front(), 2)), exponent / 2);
    }
    if (a->op == Op::transpose && is_integer(exponent)) {  // (A.^2)'.^3 = (A.^6)'
        const Expr& inner = a->children.front();
        if (inner->op == Op::power || inner->op == Op::hadamard) {
            return transpose(power(inner, exponent));
        }
    }
    if (const Expr logistic = detail::logistic_power(a, exponent)) {
        return logistic;
    }
    if (a->op == Op::power && is_integer(exponent)) {
        return power(a->children.front(), a->number * exponent);
    }
    if (a->op == Op::hadamard && is_integer(exponent)) {
        std::vector<Expr> factors;
        for (const Expr& c : a->children) {
            factors.push_back(power(c, exponent));
        }
        return hadamard(factors);
    }
    if (a->op == Op::product && is_integer(exponent)) {  // (c*s*A).^k = c^k * s^k * A.^k
        detail::Factors parts = detail::factors_of(a);
        const double outside = std::pow(parts.number, exponent);
        const bool splits = a->number != 1 || a->num_scalars > 0;  // a bare chain x'*y is one base
        if (splits && std::isfinite(outside) && (outside != 0 || parts.number == 0)) {
            std::vector<Expr> factors{number(outside)};
            for (const Expr& s : parts.scalars) {
                factors.push_back(power(s, exponent));
            }
            if (!parts.matrices.empty()) {
                const Expr rest =
                    detail::make_product({1, {}, std::move(parts.matrices)}, a.shape());
                factors.push_back(power(rest, exponent));
            }
            return multiply(factors);
        }
    }
    Node node;
    node.op = Op::power;
    node.shape = a.shape();
    node.number = exponent;
    node.children = {a};
    const Expr made = detail::make_node(std::move(node));
    return exponent > 0 && exponent < 1 ? detail::root_of_distances(made, a) : made;
}

}  // namespace matgrad
