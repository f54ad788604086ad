#include "reference/special.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace matgrad::detail {
namespace {

constexpr long double kRootOfTwoPi = 2.506628274631000502415765L;

// The argument of erfc and the square are rounded, which the size of x magnifies: so these are in long double.
long double distribution(long double x) {
    return 0.5L * std::erfc(-x / std::numbers::sqrt2_v<long double>);
}

/// density(x)/distribution(-x) - x; far out the continued fraction of Laplace (Abramowitz & Stegun 26.2.14).
long double excess(long double x) {
    constexpr long double kFar = 2;
    constexpr int kTerms = 400;
    if (std::isinf(x)) {
        return x > 0 ? 0 : -x;
    }
    if (x < kFar) {
        return std::exp(-0.5L * x * x) / kRootOfTwoPi / distribution(-x) - x;
    }
    long double result = 0;
    for (int k = kTerms; k > 0; --k) {
        result = k / (x + result);
    }
    return result;
}

long double hazard(long double x) {
    return x < 0 ? std::exp(-0.5L * x * x) / kRootOfTwoPi / distribution(-x) : x + excess(x);
}

/// Derivative k of digamma for x > 0, of digamma itself for k = 0: by the recurrence up to where the
/// asymptotic series (Abramowitz & Stegun 6.3.18, 6.4.11) is exact, in more digits than a double has.
long double polygamma_of_positive(int k, long double x) {
    constexpr long double kBernoulli[] = {
        1.0L / 6,       -1.0L / 30, 1.0L / 42,      -1.0L / 30,     5.0L / 66,
        -691.0L / 2730, 7.0L / 6,   -3617.0L / 510, 43867.0L / 798, -174611.0L / 330};
    const long double far = 25 + k;
    const long double sign = k % 2 == 0 ? -1 : 1;
    const long double factorial = std::tgamma(static_cast<long double>(k + 1));
    long double sum = 0;
    for (; x < far; ++x) {
        sum += factorial / std::pow(x, static_cast<long double>(k + 1));
    }
    sum += k == 0 ? -std::log(x) : factorial / k / std::pow(x, static_cast<long double>(k));
    sum += factorial / 2 / std::pow(x, static_cast<long double>(k + 1));
    long double rising = factorial * (k + 1) / 2;  // (2j + k - 1)!/(2j)! of j = 1
    for (int j = 1; j <= static_cast<int>(std::size(kBernoulli)); ++j) {
        sum += kBernoulli[j - 1] * rising / std::pow(x, static_cast<long double>(2 * j + k));
        rising *=
            static_cast<long double>(2 * j + k) * (2 * j + k + 1) / ((2 * j + 1) * (2 * j + 2));
    }
    return sign * sum;
}

/// Derivative k of pi*cot(pi*x).
long double cotangent_derivative(int k, long double x) {
    constexpr long double kPi = std::numbers::pi_v<long double>;
    const long double cot = 1 / std::tan(kPi * (x - std::round(x)));
    std::vector<long double> c = {
        0, kPi};  // a polynomial of the cotangent, which moves by -pi*(1 + cot^2)
    for (int i = 0; i < k; ++i) {
        std::vector<long double> next(c.size() + 1);
        for (std::size_t p = 1; p < c.size(); ++p) {
            next[p - 1] -= kPi * static_cast<long double>(p) * c[p];
            next[p + 1] -= kPi * static_cast<long double>(p) * c[p];
        }
        c = next;
    }
    long double value = 0;
    for (std::size_t p = c.size(); p-- > 0;) {
        value = value * cot + c[p];
    }
    return value;
}

}  // namespace

double normcdf(double x) {
    return static_cast<double>(distribution(x));
}

double lognormcdf(double x) {
    constexpr double kFar = -5;
    return static_cast<double>(x < kFar ? -0.5L * x * x - std::log(kRootOfTwoPi * hazard(-x))
                               : x < 1  ? std::log(distribution(x))
                                        : std::log1p(-distribution(-x)));
}

double normhazard(double x) {
    return static_cast<double>(hazard(x));
}

double normexcess(double x) {
    return static_cast<double>(excess(x));
}

/// At a pole what is infinite on both sides alike is infinite; digamma(0) is so too, of the sign of -x.
double digamma_derivative(int k, double x) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (std::isnan(x) || x == -kInfinity) {
        return std::nan("");
    }
    if (x == kInfinity) {
        return k == 0 ? x : k % 2 == 0 ? -0.0 : 0.0;
    }
    if (x <= 0 && x == std::floor(x)) {
        return k % 2 == 1         ? kInfinity
               : k == 0 && x == 0 ? -std::copysign(kInfinity, x)
                                  : std::nan("");
    }
    if (x > 0) {
        return static_cast<double>(polygamma_of_positive(k, x));
    }
    const long double mirrored = polygamma_of_positive(k, 1 - static_cast<long double>(x));
    return static_cast<double>((k % 2 == 0 ? mirrored : -mirrored) - cotangent_derivative(k, x));
}

}  // namespace matgrad::detail
