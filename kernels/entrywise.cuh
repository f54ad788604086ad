#pragma once
/// \file Entrywise functions of real numbers, as of MapOp: NaN stays NaN, and infinity gives the
/// limit where there is one. A function that is not here is that of device.cuh.

#include "device.cuh"
#include "gamma.cuh"
#include "normal.cuh"

namespace matgrad::block {

/// x where y is not 0, else 0: also where x is a NaN.
template <typename T>
MATGRAD_DEVICE T mask(T x, T y) {
    return y == T(0) ? T(0) : x;
}

template <typename T>
MATGRAD_DEVICE T unmask(T x, T y) {
    return y == T(0) ? x : T(0);
}

/// 1 where it holds, else 0: also where one is a NaN.
template <typename T>
MATGRAD_DEVICE T less(T x, T y) {
    return x < y ? T(1) : T(0);
}
template <typename T>
MATGRAD_DEVICE T less_equal(T x, T y) {
    return x <= y ? T(1) : T(0);
}

/// x*log(y), but 0 where x is 0 and y no NaN.
template <typename T>
MATGRAD_DEVICE T xlogy(T x, T y) {
    return x == T(0) && !isnan(y) ? T(0) : x * log(y);
}

/// x times 1 + eps or 1 - eps, by a hash of the place and of `seed`; where that is less, x and the smallest number
/// there is. What is symmetric stays so.
template <typename T, typename I>
MATGRAD_DEVICE T perturbed(T x, I row, I col, unsigned seed) {
    constexpr T kEpsilon = sizeof(T) == 4 ? T(0x1p-23) : T(0x1p-52);
    constexpr T kSmallest = sizeof(T) == 4 ? T(0x1p-149) : T(0x1p-1074);
    const auto r = static_cast<unsigned>(row);
    const auto c = static_cast<unsigned>(col);
    unsigned hash = (r + c) * 0x9e3779b1U ^ (r * c) * 0x85ebca77U ^ seed * 0xc2b2ae3dU;
    hash = (hash ^ hash >> 15) * 0x2c1b3c6dU;
    hash = (hash ^ hash >> 13) * 0x297a2d39U;
    const T change = max(kEpsilon * fabs(x), kSmallest);
    return x == T(0) ? x : x + (hash >> 31 == 0 ? change : -change);
}

template <typename T>
MATGRAD_DEVICE T sign(T x) {
    return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x;
}

/// 1 where x is positive, else 0.
template <typename T>
MATGRAD_DEVICE T step(T x) {
    return x > T(0) ? T(1) : x <= T(0) ? T(0) : x;
}

template <typename T>
MATGRAD_DEVICE T relu(T x) {
    return x <= T(0) ? T(0) : x;
}

/// 1 / (1 + exp(-x)); the argument of exp is never positive, so nothing overflows.
template <typename T>
MATGRAD_DEVICE T sigmoid(T x) {
    const T small = exp(-fabs(x));
    return (x < T(0) ? small : T(1)) / (T(1) + small);
}

/// log(1 + exp(x))
template <typename T>
MATGRAD_DEVICE T softplus(T x) {
    return relu(x) + log1p(exp(-fabs(x)));
}

/// x^kExponent by repeated squaring.
template <unsigned kExponent, typename T>
MATGRAD_DEVICE T power(T x) {
    T result = T(1);
    T square = x;
    MATGRAD_UNROLL
    for (unsigned exponent = kExponent; exponent != 0; exponent >>= 1) {
        if ((exponent & 1U) != 0) {
            result = result * square;
        }
        square = square * square;
    }
    return result;
}

/// x^exponent as pow() of doubles: an exponent rounded to float would cost digits of the result.
template <typename T>
MATGRAD_DEVICE T real_power(T x, double exponent) {
    return static_cast<T>(pow(static_cast<double>(x), exponent));
}

}  // namespace matgrad::block
