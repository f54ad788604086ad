#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "reference/rules.hpp"
#include "reference/special.hpp"

namespace matgrad::detail {

namespace {

double sign(double x) {
    return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x;
}
double step(double x) {
    return x > 0 ? 1.0 : x <= 0 ? 0.0 : x;
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

double xlogy(double x, double y) {
    return x == 0 && !std::isnan(y) ? 0.0 : x * std::log(y);
}

double entry_power_slope(double x, double p, std::size_t which) {
    if (which == 0) {
        return p == 0 ? 0 : p * std::pow(x, p - 1);
    }
    return x == 0 ? 0 : std::pow(x, p) * std::log(x);
}

}  // namespace

double entry_value(Entrywise function, std::span<const double> arguments) {
    const double x = arguments[0];
    switch (function) {
        case Entrywise::exp:
            return std::exp(x);
        case Entrywise::log:
            return std::log(x);
        case Entrywise::sqrt:
            return std::sqrt(x);
        case Entrywise::abs:
            return std::abs(x);
        case Entrywise::sign:
            return sign(x);
        case Entrywise::step:
            return step(x);
        case Entrywise::sin:
            return std::sin(x);
        case Entrywise::cos:
            return std::cos(x);
        case Entrywise::tanh:
            return std::tanh(x);
        case Entrywise::sigmoid:
            return sigmoid(x);
        case Entrywise::softplus:
            return softplus(x);
        case Entrywise::relu:
            return x <= 0 ? 0.0 : x;  // NaN stays NaN
        case Entrywise::tan:
            return std::tan(x);
        case Entrywise::atan:
            return std::atan(x);
        case Entrywise::log1p:
            return std::log1p(x);
        case Entrywise::expm1:
            return std::expm1(x);
        case Entrywise::cosh:
            return std::cosh(x);
        case Entrywise::sinh:
            return std::sinh(x);
        case Entrywise::erf:
            return std::erf(x);
        case Entrywise::max:
            return std::isnan(x) || x > arguments[1] ? x : arguments[1];
        case Entrywise::min:
            return std::isnan(x) || x < arguments[1] ? x : arguments[1];
        case Entrywise::asinh:
            return std::asinh(x);
        case Entrywise::acosh:
            return std::acosh(x);
        case Entrywise::atanh:
            return std::atanh(x);
        case Entrywise::normcdf:
            return normcdf(x);
        case Entrywise::lognormcdf:
            return lognormcdf(x);
        case Entrywise::normhazard:
            return normhazard(x);
        case Entrywise::normexcess:
            return normexcess(x);
        case Entrywise::lgamma:
            return std::lgamma(x);
        case Entrywise::digamma:
            return digamma_derivative(0, x);
        case Entrywise::trigamma:
            return digamma_derivative(1, x);
        case Entrywise::polygamma:
            return digamma_derivative(static_cast<int>(x), arguments[1]);
        case Entrywise::xlogy:
            return xlogy(x, arguments[1]);
        case Entrywise::entry_power:
            return std::pow(x, arguments[1]);
        case Entrywise::less:
            return x < arguments[1] ? 1 : 0;
        case Entrywise::less_equal:
            return x <= arguments[1] ? 1 : 0;
        case Entrywise::mask:
            return arguments[1] == 0 ? 0 : x;
        case Entrywise::unmask:
            return arguments[1] == 0 ? x : 0;
    }
    throw std::logic_error("entry_value: no such function");
}

double entry_slope(Entrywise function, std::span<const double> arguments, std::size_t which) {
    const double x = arguments[which];
    switch (function) {
        case Entrywise::exp:
            return std::exp(x);
        case Entrywise::log:
            return 1 / x;
        case Entrywise::sqrt:
            return 0.5 / std::sqrt(x);
        case Entrywise::abs:
            return sign(x);
        case Entrywise::sign:
        case Entrywise::step:
            return 0;
        case Entrywise::sin:
            return std::cos(x);
        case Entrywise::cos:
            return -std::sin(x);
        case Entrywise::tanh: {
            const double c = std::cosh(x);  // 1 - tanh^2 would lose its digits for large x
            return 1 / (c * c);
        }
        case Entrywise::sigmoid:
            return sigmoid(x) * sigmoid(-x);
        case Entrywise::softplus:
            return sigmoid(x);
        case Entrywise::relu:
            return step(x);
        case Entrywise::tan: {
            const double c = std::cos(x);
            return 1 / (c * c);
        }
        case Entrywise::atan:
            return 1 / (1 + x * x);
        case Entrywise::log1p:
            return 1 / (1 + x);
        case Entrywise::expm1:
            return std::exp(x);
        case Entrywise::cosh:
            return std::sinh(x);
        case Entrywise::sinh:
            return std::cosh(x);
        case Entrywise::erf:
            return 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x);
        case Entrywise::max:
            return which == 0 ? step(arguments[0] - arguments[1])
                              : 1 - step(arguments[0] - arguments[1]);
        case Entrywise::min:
            return which == 0 ? step(arguments[1] - arguments[0])
                              : 1 - step(arguments[1] - arguments[0]);
        case Entrywise::asinh:
            return 1 / std::hypot(1, x);
        case Entrywise::acosh:
            return 1 / (std::sqrt(x - 1) * std::sqrt(x + 1));
        case Entrywise::atanh:
            return 1 / ((1 - x) * (1 + x));
        case Entrywise::normcdf:
            return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
        case Entrywise::lognormcdf:
            return normhazard(-x);
        case Entrywise::normhazard:
            return normhazard(x) * normexcess(x);
        case Entrywise::normexcess:
            return normhazard(x) * normexcess(x) - 1;
        case Entrywise::lgamma:
            return digamma_derivative(0, x);
        case Entrywise::digamma:
            return digamma_derivative(1, x);
        case Entrywise::trigamma:
            return digamma_derivative(2, x);
        case Entrywise::polygamma:
            return which == 0 ? 0 : digamma_derivative(static_cast<int>(arguments[0]) + 1, x);
        case Entrywise::xlogy:
            return which == 0 ? std::log(arguments[1]) : arguments[0] == 0 ? 0 : arguments[0] / x;
        case Entrywise::entry_power:
            return entry_power_slope(arguments[0], arguments[1], which);
        case Entrywise::less:
        case Entrywise::less_equal:
            return 0;
        case Entrywise::mask:
            return which == 0 && arguments[1] != 0 ? 1 : 0;
        case Entrywise::unmask:
            return which == 0 && arguments[1] == 0 ? 1 : 0;
    }
    throw std::logic_error("entry_slope: no such function");
}

}  // namespace matgrad::detail
