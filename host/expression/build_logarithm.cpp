// log(f) where f is made of exponentials or is a determinant: f may overflow long before its logarithm.

#include <cmath>
#include <optional>

#include "expression/build.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad::detail {
namespace {

/// log(c) + a; of 1 it is a.
Expr shifted(double c, const Expr& a) {
    return c == 1 ? a : add(a, number(std::log(c)));
}

using LogOf = Expr (*)(const Expr&);

/// The sum of the logs of all factors, or an empty Expr if one of them has none.
Expr log_of_factors(const Expr& a, LogOf log_of) {
    if (a->op == Op::hadamard) {
        std::vector<Expr> terms;
        for (const Expr& factor : a->children) {
            terms.push_back(log_of(factor));
            if (!terms.back()) {
                return {};
            }
        }
        return add(terms);
    }
    const Factors f = factors_of(a);
    if (a->op != Op::product || f.number <= 0 || f.matrices.size() > 1) {
        return {};
    }
    std::vector<Expr> terms;
    for (const auto* factors : {&f.matrices, &f.scalars}) {
        for (const Expr& factor : *factors) {
            terms.push_back(factor == a ? Expr() : log_of(factor));
            if (!terms.back()) {
                return {};
            }
        }
    }
    return shifted(f.number, add(terms));
}

/// The log of a sum of exponentials: over all entries, rows or columns.
Expr log_of_sum(const Expr& a) {
    const Op over = a->op == Op::sum       ? Op::logsumexp
                    : a->op == Op::row_sum ? Op::row_logsumexp
                                           : Op::col_logsumexp;
    const Expr exponent = exponent_of(a->children.front());
    return exponent ? apply(over, exponent) : Expr();
}

/// The log of exp(Z)*ones, ones'*exp(Z) and ones'*exp(Z)*ones.
Expr log_of_sum_as_product(const Expr& a) {
    if (a->op != Op::product || a->number != 1 || a->num_scalars != 0) {
        return {};
    }
    Expr exponent;
    bool sums[2] = {false, false};  // of columns, from the left; of rows, from the right
    for (const Expr& factor : a->children) {
        if (factor->op == Op::ones) {
            bool& sum = sums[exponent ? 1 : 0];
            const Dim& kept = exponent ? factor.shape().cols : factor.shape().rows;
            if (sum || !kept.is_one()) {
                return {};
            }
            sum = true;
        } else if (exponent || !(exponent = exponent_of(factor))) {
            return {};
        }
    }
    if (!exponent) {
        return {};
    }
    if (sums[0] && sums[1]) {
        return apply(Op::logsumexp, exponent);
    }
    return apply(sums[1] ? Op::row_logsumexp : Op::col_logsumexp, exponent);
}

/// log(a) of an exponential, or of sums, powers and products of such.
Expr log_of_exponential(const Expr& a) {
    switch (a->op) {
        case Op::exp:
            return a->children.front();
        case Op::sum:
        case Op::row_sum:
        case Op::col_sum:
            return log_of_sum(a);
        case Op::transpose: {
            const Expr inner = log_of_exponential(a->children.front());
            return inner ? transpose(inner) : inner;
        }
        case Op::power: {
            const Expr inner = log_of_exponential(a->children.front());
            return inner ? scale(a->number, inner) : inner;
        }
        case Op::product:
            if (const Expr sum = log_of_sum_as_product(a)) {
                return sum;
            }
            return log_of_factors(a, log_of_exponential);
        case Op::hadamard:
            return log_of_factors(a, log_of_exponential);
        default:
            return {};
    }
}

/// c and Z of c*(1 + exp(Z)); no Z if it is nothing of the kind.
struct OnePlusExp {
    double factor = 1;
    Expr exponent;
};

OnePlusExp one_plus_exp(const Expr& a) {
    if (a->op != Op::add || a->children.size() != 2) {
        return {};
    }
    for (const std::size_t i : {0, 1}) {
        const std::optional<double> c = constant_value(a->children[i]);
        if (!c || *c <= 0) {
            continue;
        }
        if (const Expr exponent = log_of_exponential(a->children[1 - i])) {
            return {*c, *c == 1 ? exponent : add(exponent, number(-std::log(*c)))};
        }
    }
    return {};
}

/// Z of 1 - f(Z), else an empty Expr.
Expr rest_of(Op f, const Expr& a) {
    if (a->op != Op::add || a->children.size() != 2) {
        return {};
    }
    for (const std::size_t i : {0, 1}) {
        const Scaled other = split_number(a->children[1 - i]);
        if (constant_value(a->children[i]) == 1 && other.number == -1 && other.base->op == f) {
            return other.base->children.front();
        }
    }
    return {};
}

/// log(1 - sigmoid(Z)) and log(1 - normcdf(Z)) by Z of either.
Expr log_of_rest(Op f, const Expr& z) {
    return f == Op::sigmoid ? negate(apply(Op::softplus, z)) : apply(Op::lognormcdf, negate(z));
}

/// log(a) of what is positive everywhere, in a form that does not overflow.
Expr log_of_positive(const Expr& a) {
    if (const Expr exponent = log_of_exponential(a)) {
        return exponent;
    }
    switch (a->op) {
        case Op::sigmoid:
            return negate(apply(Op::softplus, negate(a->children.front())));
        case Op::normcdf:
            return apply(Op::lognormcdf, a->children.front());
        case Op::add: {
            if (const OnePlusExp sum = one_plus_exp(a); sum.exponent) {
                return shifted(sum.factor, apply(Op::softplus, sum.exponent));
            }
            for (const Op f : {Op::sigmoid, Op::normcdf}) {
                if (const Expr z = rest_of(f, a)) {
                    return log_of_rest(f, z);
                }
            }
            return {};
        }
        case Op::transpose: {
            const Expr inner = log_of_positive(a->children.front());
            return inner ? transpose(inner) : inner;
        }
        case Op::power:
        case Op::sqrt: {
            const Expr inner = log_of_positive(a->children.front());
            return inner ? scale(a->op == Op::sqrt ? 0.5 : a->number, inner) : inner;
        }
        case Op::product:
        case Op::hadamard:
            return log_of_factors(a, log_of_positive);
        default:
            return {};
    }
}

/// log(det(Y)^k) as k*log(det(Y)); an even power has no sign, so it is k*logdet(Y).
Expr log_of_determinant(const Expr& a) {
    const bool raised = a->op == Op::power || a->op == Op::sqrt;
    const Expr& det = raised ? a->children.front() : a;
    if (det->op != Op::det) {
        return {};
    }
    const Expr& y = det->children.front();
    const double exponent = a->op == Op::power ? a->number : a->op == Op::sqrt ? 0.5 : 1;
    return scale(exponent, apply(std::fmod(exponent, 2) == 0 ? Op::logdet : Op::log_det, y));
}

/// log(c*f*g) as log(c) + log(f) + log(g) where the log of f has a safe form, and one factor g, of any
/// sign, is left.
Expr log_of_split(const Expr& a) {
    Factors f = factors_of(a);
    if (a->op == Op::hadamard) {
        f.matrices = a->children;
    } else if (a->op != Op::product || f.matrices.size() > 1) {
        return {};
    }
    std::vector<Expr> logs;
    Factors rest;
    rest.number = f.number;
    const auto take = [&logs](const std::vector<Expr>& from, std::vector<Expr>& left) {
        for (const Expr& factor : from) {
            const Expr log = log_of_positive(factor);
            if (log) {
                logs.push_back(log);
            } else {
                left.push_back(factor);
            }
        }
    };
    take(f.scalars, rest.scalars);
    take(f.matrices, rest.matrices);
    const bool of_determinant = rest.scalars.size() == 1 && rest.matrices.empty() &&
                                log_of_determinant(rest.scalars.front());
    if (f.number > 0 && of_determinant && (f.number != 1 || !logs.empty())) {
        rest.number = 1;
        logs.push_back(number(std::log(f.number)));
    }
    if (logs.empty() || (rest.scalars.empty() && rest.matrices.empty())) {
        return {};
    }
    std::vector<Expr> left = rest.scalars;
    left.push_back(number(rest.number));
    left.push_back(a->op == Op::hadamard ? hadamard(rest.matrices) : multiply(rest.matrices));
    const Expr g = multiply(left);
    logs.insert(logs.begin(), constant_value(g) == 1 ? zeros(a.shape()) : apply(Op::log, g));
    return add(logs);
}

}  // namespace

Expr exponent_of(const Expr& a) {
    if (a->op == Op::exp) {
        return a->children.front();
    }
    if (a->op == Op::transpose && a->children.front()->op == Op::exp) {
        return transpose(a->children.front()->children.front());
    }
    return {};
}

Expr logarithm(Op op, const Expr& a) {
    if (op == Op::log1p) {
        if (const Expr exponent = log_of_exponential(a)) {
            return apply(Op::softplus, exponent);
        }
        const Scaled scaled = split_number(a);
        const Op f = scaled.base->op;
        return scaled.number == -1 && (f == Op::sigmoid || f == Op::normcdf)
                   ? log_of_rest(f, scaled.base->children.front())
                   : Expr();
    }
    if (op != Op::log) {
        return {};
    }
    for (const auto& form : {log_of_positive, log_of_determinant, log_of_split}) {
        if (const Expr safe = form(a)) {
            return safe;
        }
    }
    return {};
}

Expr logistic_power(const Expr& a, double exponent) {
    if (exponent >= 0) {
        return {};
    }
    const OnePlusExp sum = one_plus_exp(a);
    if (!sum.exponent) {
        return {};
    }
    const Expr sigmoid = apply(Op::sigmoid, negate(sum.exponent));
    return scale(std::pow(sum.factor, exponent), power(sigmoid, -exponent));
}

}  // namespace matgrad::detail
