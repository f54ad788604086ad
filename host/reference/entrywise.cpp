#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/rules.hpp"

namespace matgrad::detail {

namespace {

double sign(double x) {
    return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x;
}
double step(double x) {
    return x > 0 ? 1.0 : 0.0;
}

// exp of a non-positive number alone, so nothing overflows.
double sigmoid(double x) {
    if (x >= 0) {
        return 1 / (1 + std::exp(-x));
    }
    const double e = std::exp(x);
    return e / (1 + e);
}

double softplus(double x) {
    if (std::isnan(x)) {
        return x;
    }
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace

double entry_value(Op op, double x) {
    switch (op) {
        case Op::exp:
            return std::exp(x);
        case Op::log:
            return std::log(x);
        case Op::sqrt:
            return std::sqrt(x);
        case Op::abs:
            return std::abs(x);
        case Op::sign:
            return sign(x);
        case Op::step:
            return step(x);
        case Op::sin:
            return std::sin(x);
        case Op::cos:
            return std::cos(x);
        case Op::tanh:
            return std::tanh(x);
        case Op::sigmoid:
            return sigmoid(x);
        case Op::softplus:
            return softplus(x);
        case Op::relu:
            return x <= 0 ? 0.0 : x;  // NaN stays NaN
        default:
            throw std::logic_error("entry_value: the operation is not entrywise");
    }
}

double entry_derivative(Op op, double x) {
    switch (op) {
        case Op::exp:
            return std::exp(x);
        case Op::log:
            return 1 / x;
        case Op::sqrt:
            return 0.5 / std::sqrt(x);
        case Op::abs:
            return sign(x);
        case Op::sign:
        case Op::step:
            return 0;
        case Op::sin:
            return std::cos(x);
        case Op::cos:
            return -std::sin(x);
        case Op::tanh: {
            const double c = std::cosh(x);  // 1 - tanh^2 would lose its digits for large x
            return 1 / (c * c);
        }
        case Op::sigmoid:
            return sigmoid(x) * sigmoid(-x);
        case Op::softplus:
            return sigmoid(x);
        case Op::relu:
            return step(x);
        default:
            throw std::logic_error("entry_derivative: the operation is not entrywise");
    }
}

}  // namespace matgrad::detail
