// Functions of each entry: d f(Y) = f'(Y) .* dY.

#include "calculus/rules.hpp"
#include "expression/build.hpp"

namespace matgrad {
namespace {

Expr one_minus(const Expr& a) {
    return subtract(ones(a.shape().rows, a.shape().cols), a);
}

/// f'(Y) for y = f(Y); may use y itself.
Expr slope(const Expr& y) {
    const Expr& a = y->children.front();
    switch (y->op) {
        case Op::exp:
            return y;
        case Op::log:
            return power(a, -1);
        case Op::sqrt:
            return scale(0.5, power(y, -1));
        case Op::abs:
            return apply(Op::sign, a);
        case Op::sin:
            return apply(Op::cos, a);
        case Op::cos:
            return negate(apply(Op::sin, a));
        case Op::tanh:
            return one_minus(power(y, 2));
        case Op::sigmoid:
            return hadamard(y, one_minus(y));
        case Op::softplus:
            return apply(Op::sigmoid, a);
        case Op::relu:
            return apply(Op::step, a);
        default:
            return zeros(a.shape());  // sign and step: constant almost everywhere
    }
}

Expr differential_entrywise(const Expr& y, const IsActive&) {
    return hadamard(slope(y), differential(y->children.front()));
}

std::vector<Contribution> adjoint_entrywise(const Expr& y, const Expr& ybar, const IsActive&) {
    return {{y->children.front(), hadamard(ybar, slope(y))}};
}

struct EntrywiseRule {
    Op op;
    Rule rule;
};

constexpr Rule rule(std::string_view name) {
    return {name, "calculus of one variable", differential_entrywise, adjoint_entrywise};
}

constexpr EntrywiseRule kRules[] = {
    {Op::exp, rule("d(exp(Y)) = exp(Y).*dY")},
    {Op::log, rule("d(log(Y)) = dY./Y")},
    {Op::sqrt, rule("d(sqrt(Y)) = 0.5*dY./sqrt(Y)")},
    {Op::abs, rule("d(abs(Y)) = sign(Y).*dY")},
    {Op::sign, rule("d(sign(Y)) = 0")},
    {Op::step, rule("d(step(Y)) = 0")},
    {Op::sin, rule("d(sin(Y)) = cos(Y).*dY")},
    {Op::cos, rule("d(cos(Y)) = -sin(Y).*dY")},
    {Op::tanh, rule("d(tanh(Y)) = (1 - tanh(Y).^2).*dY")},
    {Op::sigmoid, rule("d(sigmoid(Y)) = sigmoid(Y).*(1 - sigmoid(Y)).*dY")},
    {Op::softplus, rule("d(softplus(Y)) = sigmoid(Y).*dY")},
    {Op::relu, rule("d(relu(Y)) = step(Y).*dY")},
};

}  // namespace

const Rule* detail::entrywise_rule(Op op) {
    for (const EntrywiseRule& r : kRules) {
        if (r.op == op) {
            return &r.rule;
        }
    }
    return nullptr;
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
