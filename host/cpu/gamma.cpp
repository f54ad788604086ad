#include "cpu/gamma.hpp"

#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

namespace matgrad::detail {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// x - round(x), of which the sine and the cotangent of pi*x are made without loss.
double from_whole(double x) {
    return x - std::round(x);
}

/// k! times the sum over i >= 0 of (x + i)^-(k + 1), for x > 0: term by term up to where the rest is the
/// formula of Euler and Maclaurin.
double zeta_sum(int k, double x) {
    constexpr double kBernoulli[] = {1.0 / 6,   -1.0 / 30,     1.0 / 42,
                                     -1.0 / 30, 5.0 / 66,      -691.0 / 2730,
                                     7.0 / 6,   -3617.0 / 510, 43867.0 / 798};
    const double far = 10 + k;
    double sum = 0;
    for (; x < far; ++x) {
        sum += std::pow(x, -(k + 1));
    }
    double power = std::pow(x, -k);
    sum += power / k;
    power /= x;
    sum += power / 2;
    double rising = (k + 1) / 2.0;
    for (int j = 1; j <= static_cast<int>(std::size(kBernoulli)); ++j) {
        power /= x;
        sum += kBernoulli[j - 1] * rising * power;
        power /= x;
        rising *= static_cast<double>((2 * j + k) * (2 * j + k + 1)) / ((2 * j + 1) * (2 * j + 2));
    }
    return sum * std::tgamma(k + 1.0);
}

/// The k-th derivative of pi*cot(pi*x): a polynomial of the cotangent, which moves by -pi*(1 + cot^2).
double cotangent_derivative(int k, double x) {
    const double cot = 1 / std::tan(kPi * from_whole(x));
    std::vector<double> c = {0, kPi};
    for (int i = 0; i < k; ++i) {
        std::vector<double> next(c.size() + 1);
        for (std::size_t p = 1; p < c.size(); ++p) {
            const double moved = kPi * static_cast<double>(p) * c[p];
            next[p - 1] -= moved;
            next[p + 1] -= moved;
        }
        c = std::move(next);
    }
    double value = 0;
    for (std::size_t p = c.size(); p-- > 0;) {
        value = value * cot + c[p];
    }
    return value;
}

}  // namespace

double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);  // std::lgamma writes a global variable
}

double digamma_reflection(double x) {
    if (x == 0) {
        return -std::copysign(kInfinity, x);
    }
    const double r = from_whole(x);
    return r == 0 || std::isinf(x) ? kNan : -kPi / std::tan(kPi * r);
}

double trigamma_reflection(double x) {
    if (std::isinf(x)) {
        return kNan;
    }
    const double ratio = kPi / std::sin(kPi * from_whole(x));
    return ratio * ratio;
}

double polygamma(int k, double x) {
    const bool odd = k % 2 != 0;
    if (std::isnan(x) || x == -kInfinity) {
        return kNan;
    }
    if (x == kInfinity) {
        return odd ? 0.0 : -0.0;
    }
    if (x > 0) {
        return odd ? zeta_sum(k, x) : -zeta_sum(k, x);
    }
    if (from_whole(x) == 0) {
        return odd ? kInfinity : kNan;
    }
    const double mirrored = zeta_sum(k, 1 - x);  // of sign (-1)^k by the reflection
    return -mirrored - cotangent_derivative(k, x);
}

}  // namespace matgrad::detail
