// Functions of each entry: d f(Y) = f'(Y) .* dY.

#include <numbers>
#include <utility>

#include "calculus/rules.hpp"
#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

Expr ones_like(const Expr& a) {
    return ones(a.shape().rows, a.shape().cols);
}

Expr one_minus(const Expr& a) {
    return subtract(ones_like(a), a);
}

/// 1 where a > b, else 0.
Expr step_of_difference(const Expr& a, const Expr& b) {
    return apply(Op::step, subtract(a, b));
}

/// where(condition, a, 0)
Expr masked(const Expr& a, const Expr& condition) {
    const Expr arguments[] = {a, condition};
    return call(Op::mask, arguments);
}

Expr entry_power_of(const Expr& a, const Expr& exponent) {
    const Expr arguments[] = {a, exponent};
    return call(Op::entry_power, arguments);
}

/// p - 1; of a scalar for every entry, s*ones(m,n), it is s - 1.
Expr less_one(const Expr& p) {
    detail::Factors f = detail::factors_of(p);
    const bool is_spread = f.matrices.size() == 1 && f.matrices.front()->op == Op::ones;
    if (!is_spread) {
        return subtract(p, ones_like(p));
    }
    f.matrices.clear();
    return subtract(detail::make_product(std::move(f), Shape::scalar()), number(1));
}

Expr polygamma_of(double order, const Expr& a) {
    const Expr arguments[] = {number(order), a};
    return call(Op::polygamma, arguments);
}

const Expr& argument(const Expr& y) {
    return y->children.front();
}

/// f'(Y) for y = f(Y); may use y itself.
using Slope = Expr (*)(const Expr& y);

Expr zero(const Expr& y) {
    return zeros(y.shape());
}

struct EntrywiseRule {
    Entrywise function;
    Rule rule;
    Slope slopes[2];  ///< by the first and, of a function of two, by the second argument
};

const EntrywiseRule& entrywise_rule_of(const Expr& y);

// The differential is the sum of slope .* d(argument); the adjoint of an argument is Ybar .* slope.
Expr differential_entrywise(const Expr& y, const IsActive& active) {
    std::vector<Expr> terms;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        if (active(y->children[i])) {
            const Expr slope = entrywise_rule_of(y).slopes[i](y);
            terms.push_back(hadamard(slope, differential(y->children[i])));
        }
    }
    return terms.size() == 1 ? terms.front() : add(terms);
}

std::vector<Contribution> adjoint_entrywise(const Expr& y, const Expr& ybar,
                                            const IsActive& active) {
    std::vector<Contribution> result;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        if (active(y->children[i])) {
            const Expr slope = entrywise_rule_of(y).slopes[i](y);
            result.push_back({y->children[i], hadamard(ybar, slope)});
        }
    }
    return result;
}

// What is masked follows the differential of the first argument, under the same mask; the condition moves nothing.
Expr differential_masked(const Expr& y, const IsActive& active) {
    if (!active(y->children[0])) {
        return zero(y);
    }
    const Expr arguments[] = {differential(y->children[0]), y->children[1]};
    return call(y->op, arguments);
}

std::vector<Contribution> adjoint_masked(const Expr& y, const Expr& ybar, const IsActive& active) {
    if (!active(y->children[0])) {
        return {};
    }
    const Expr arguments[] = {ybar, y->children[1]};
    return {{y->children[0], call(y->op, arguments)}};
}

Expr differential_step(const Expr& y, const IsActive& /*active*/) {
    return zero(y);
}

std::vector<Contribution> adjoint_step(const Expr& /*y*/, const Expr& /*ybar*/,
                                       const IsActive& /*active*/) {
    return {};
}

constexpr EntrywiseRule mask_rule(Entrywise function, std::string_view name) {
    return {function,
            {name, "linear in Y", kEntrywise, differential_masked, adjoint_masked},
            {zero, zero}};
}

constexpr EntrywiseRule comparison_rule(Entrywise function, std::string_view name) {
    return {function,
            {name, "constant almost everywhere", kEntrywise, differential_step, adjoint_step},
            {zero, zero}};
}

constexpr EntrywiseRule rule(Entrywise function, std::string_view name, Slope slope,
                             Slope second = nullptr) {
    return {
        function,
        {name, "calculus of one variable", kEntrywise, differential_entrywise, adjoint_entrywise},
        {slope, second}};
}

constexpr EntrywiseRule kRules[] = {
    rule(Entrywise::exp, "d(exp(Y)) = exp(Y).*dY", [](const Expr& y) { return y; }),
    rule(Entrywise::log, "d(log(Y)) = dY./Y", [](const Expr& y) { return power(argument(y), -1); }),
    rule(Entrywise::sqrt, "d(sqrt(Y)) = 0.5*dY./sqrt(Y)",
         [](const Expr& y) { return scale(0.5, power(y, -1)); }),
    rule(Entrywise::abs, "d(abs(Y)) = sign(Y).*dY",
         [](const Expr& y) { return apply(Op::sign, argument(y)); }),
    rule(Entrywise::sign, "d(sign(Y)) = 0", zero),  // almost everywhere
    rule(Entrywise::step, "d(step(Y)) = 0", zero),
    rule(Entrywise::sin, "d(sin(Y)) = cos(Y).*dY",
         [](const Expr& y) { return apply(Op::cos, argument(y)); }),
    rule(Entrywise::cos, "d(cos(Y)) = -sin(Y).*dY",
         [](const Expr& y) { return negate(apply(Op::sin, argument(y))); }),
    rule(Entrywise::tanh, "d(tanh(Y)) = (1 - tanh(Y).^2).*dY",
         [](const Expr& y) { return one_minus(power(y, 2)); }),
    rule(Entrywise::sigmoid, "d(sigmoid(Y)) = sigmoid(Y).*(1 - sigmoid(Y)).*dY",
         [](const Expr& y) { return hadamard(y, one_minus(y)); }),
    rule(Entrywise::softplus, "d(softplus(Y)) = sigmoid(Y).*dY",
         [](const Expr& y) { return apply(Op::sigmoid, argument(y)); }),
    rule(Entrywise::relu, "d(relu(Y)) = step(Y).*dY",
         [](const Expr& y) { return apply(Op::step, argument(y)); }),
    rule(Entrywise::tan, "d(tan(Y)) = (1 + tan(Y).^2).*dY",
         [](const Expr& y) { return add(power(y, 2), ones_like(y)); }),
    rule(Entrywise::atan, "d(atan(Y)) = dY./(1 + Y.^2)",
         [](const Expr& y) { return power(add(power(argument(y), 2), ones_like(y)), -1); }),
    rule(Entrywise::log1p, "d(log1p(Y)) = dY./(1 + Y)",
         [](const Expr& y) { return power(add(argument(y), ones_like(y)), -1); }),
    // 1 + expm1(Y) would lose its digits far below 0
    rule(Entrywise::expm1, "d(expm1(Y)) = exp(Y).*dY",
         [](const Expr& y) { return apply(Op::exp, argument(y)); }),
    rule(Entrywise::cosh, "d(cosh(Y)) = sinh(Y).*dY",
         [](const Expr& y) { return apply(Op::sinh, argument(y)); }),
    rule(Entrywise::sinh, "d(sinh(Y)) = cosh(Y).*dY",
         [](const Expr& y) { return apply(Op::cosh, argument(y)); }),
    rule(Entrywise::erf, "d(erf(Y)) = 2/sqrt(pi)*exp(-Y.^2).*dY",
         [](const Expr& y) {
             return scale(2 * std::numbers::inv_sqrtpi,
                          apply(Op::exp, negate(power(argument(y), 2))));
         }),
    // Where the arguments are equal the second one moves the result.
    rule(
        Entrywise::max, "d(max(Y,Z)) = step(Y - Z).*dY + (1 - step(Y - Z)).*dZ",
        [](const Expr& y) { return step_of_difference(y->children[0], y->children[1]); },
        [](const Expr& y) {
            return one_minus(step_of_difference(y->children[0], y->children[1]));
        }),
    rule(
        Entrywise::min, "d(min(Y,Z)) = step(Z - Y).*dY + (1 - step(Z - Y)).*dZ",
        [](const Expr& y) { return step_of_difference(y->children[1], y->children[0]); },
        [](const Expr& y) {
            return one_minus(step_of_difference(y->children[1], y->children[0]));
        }),
    rule(Entrywise::asinh, "d(asinh(Y)) = (1 + Y.^2).^-0.5.*dY",
         [](const Expr& y) { return power(add(power(argument(y), 2), ones_like(y)), -0.5); }),
    // (Y - 1).*(Y + 1) keeps the digits of Y - 1
    rule(Entrywise::acosh, "d(acosh(Y)) = (Y - 1).^-0.5.*(Y + 1).^-0.5.*dY",
         [](const Expr& y) {
             return hadamard(power(subtract(argument(y), ones_like(y)), -0.5),
                             power(add(argument(y), ones_like(y)), -0.5));
         }),
    rule(Entrywise::atanh, "d(atanh(Y)) = dY./((1 - Y).*(1 + Y))",
         [](const Expr& y) {
             return hadamard(power(one_minus(argument(y)), -1),
                             power(add(argument(y), ones_like(y)), -1));
         }),
    rule(Entrywise::normcdf, "d(normcdf(Y)) = 1/sqrt(2*pi)*exp(-Y.^2/2).*dY",
         [](const Expr& y) {
             return scale(std::numbers::inv_sqrtpi / std::numbers::sqrt2,
                          apply(Op::exp, scale(-0.5, power(argument(y), 2))));
         }),
    // The hazard at -Y is density over distribution, both of which underflow.
    rule(Entrywise::lognormcdf, "d(lognormcdf(Y)) = normhazard(-Y).*dY",
         [](const Expr& y) { return apply(Op::normhazard, negate(argument(y))); }),
    rule(Entrywise::normhazard, "d(normhazard(Y)) = normhazard(Y).*normexcess(Y).*dY",
         [](const Expr& y) { return hadamard(y, apply(Op::normexcess, argument(y))); }),
    rule(Entrywise::normexcess, "d(normexcess(Y)) = (normhazard(Y).*normexcess(Y) - 1).*dY",
         [](const Expr& y) {
             return subtract(hadamard(apply(Op::normhazard, argument(y)), y), ones_like(y));
         }),
    rule(Entrywise::lgamma, "d(lgamma(Y)) = digamma(Y).*dY",
         [](const Expr& y) { return apply(Op::digamma, argument(y)); }),
    rule(Entrywise::digamma, "d(digamma(Y)) = trigamma(Y).*dY",
         [](const Expr& y) { return apply(Op::trigamma, argument(y)); }),
    rule(Entrywise::trigamma, "d(trigamma(Y)) = polygamma(2, Y).*dY",
         [](const Expr& y) { return polygamma_of(2, argument(y)); }),
    rule(Entrywise::polygamma, "d(polygamma(k, Y)) = polygamma(k + 1, Y).*dY", zero,
         [](const Expr& y) {
             const double order = detail::constant_value(y->children[0]).value();
             return polygamma_of(order + 1, y->children[1]);
         }),
    // Where Y is 0 the function does not depend on Z, also where Z is 0.
    rule(
        Entrywise::xlogy, "d(xlogy(Y,Z)) = log(Z).*dY + where(Y, Y./Z, 0).*dZ",
        [](const Expr& y) { return apply(Op::log, y->children[1]); },
        [](const Expr& y) {
            return masked(divide(y->children[0], y->children[1]), y->children[0]);
        }),
    // 0^P is 0 for every positive P, and Y^0 is 1 for every Y: neither moves.
    rule(
        Entrywise::entry_power,
        "d(Y.^P) = where(P, P.*Y.^(P - 1), 0).*dY + where(Y, log(Y).*Y.^P, 0).*dP",
        [](const Expr& y) {
            const Expr& p = y->children[1];
            const Expr lower = entry_power_of(y->children[0], less_one(p));
            return masked(hadamard(p, lower), p);
        },
        [](const Expr& y) {
            return masked(hadamard(apply(Op::log, y->children[0]), y), y->children[0]);
        }),
    comparison_rule(Entrywise::less, "d(Y < Z) = 0"),
    comparison_rule(Entrywise::less_equal, "d(Y <= Z) = 0"),
    mask_rule(Entrywise::mask, "d(where(C, Y, 0)) = where(C, dY, 0)"),
    mask_rule(Entrywise::unmask, "d(where(C, 0, Y)) = where(C, 0, dY)"),
};

/// A row for each entrywise function, in their order, and a slope for each argument.
constexpr bool is_complete() {
    std::size_t next = 0;
    for (const EntrywiseRule& r : kRules) {
        if (r.function != static_cast<Entrywise>(next++) ||
            (r.slopes[1] != nullptr) != (arity_of(r.function) == 2)) {
            return false;
        }
    }
    return next == std::size(kEntrywiseFunctions);
}
static_assert(is_complete());

const EntrywiseRule& entrywise_rule_of(const Expr& y) {
    return kRules[static_cast<std::size_t>(*entrywise_of(y->op))];
}

}  // namespace

const Rule* detail::entrywise_rule(Op op) {
    const std::optional<Entrywise> function = entrywise_of(op);
    return function ? &kRules[static_cast<std::size_t>(*function)].rule : nullptr;
}

const Rule& rule_of(Op op) {
    for (const auto& table :
         {detail::arithmetic_rule, detail::matrix_rule, detail::entrywise_rule}) {
        if (const Rule* found = table(op)) {
            return *found;
        }
    }
    throw UnsupportedError("no rule of differentiation for " + std::string(function_name(op)));
}

}  // namespace matgrad
