#pragma once
/// \file The derivatives of the logarithm of the gamma function: NaN stays NaN; at a pole infinite where both sides
/// are so alike, else NaN, but that digamma(0) is infinite.

#include "device.cuh"

namespace matgrad::block {

/// log(x) - digamma(x) for k = 0, else the k-th derivative of digamma but for its sign, x > 0: the recurrence up to
/// where the rest is an asymptotic series (Abramowitz & Stegun 6.3.18, 6.4.11).
template <typename T>
MATGRAD_DEVICE T polygamma_of_positive(int k, T x) {
    constexpr double kBernoulli[] = {1.0 / 6,   -1.0 / 30,     1.0 / 42,
                                     -1.0 / 30, 5.0 / 66,      -691.0 / 2730,
                                     7.0 / 6,   -3617.0 / 510, 43867.0 / 798};
    T factorial = T(1);
    for (int i = 2; i <= k; ++i) {
        factorial = factorial * T(i);
    }
    const T far = T(10 + k);
    T sum = T(0);
    MATGRAD_NO_UNROLL
    for (; x < far; x = x + T(1)) {
        T term = T(1) / x;
        for (int i = 0; i < k; ++i) {
            term = term / x;
        }
        sum = sum + term;
    }
    T power = T(1);
    for (int i = 0; i < k; ++i) {
        power = power / x;
    }
    sum = sum + (k == 0 ? -log(x) : power / T(k));
    power = power / x;
    sum = sum + power / T(2);
    T rising = T(k + 1) / T(2);
    MATGRAD_UNROLL
    for (int j = 1; j <= 9; ++j) {
        power = power / x;
        sum = sum + T(kBernoulli[j - 1]) * rising * power;
        power = power / x;
        rising = rising * T((2 * j + k) * (2 * j + k + 1)) / T((2 * j + 1) * (2 * j + 2));
    }
    return factorial * sum;
}

/// The k-th derivative of pi*cot(pi*r): a polynomial of the cotangent, which moves by -pi*(1 + cot^2).
template <typename T>
MATGRAD_DEVICE T cotangent_derivative(int k, T r) {
    constexpr int kMost = 23;
    const T pi = T(3.14159265358979324);
    const T cot = T(1) / tan(pi * r);
    T c[kMost] = {};
    c[1] = pi;
    for (int i = 0; i < k; ++i) {
        // From the highest power down: what is read has not been written.
        T above = T(0);
        for (int p = i + 2; p >= 0; --p) {
            const T lower = p > 0 ? T(p - 1) * c[p - 1] : T(0);
            const T here = T(p + 1) * above;
            above = c[p];
            c[p] = -pi * (lower + here);
        }
    }
    T value = T(0);
    for (int p = k + 1; p >= 0; --p) {
        value = value * cot + c[p];
    }
    return value;
}

template <typename T>
MATGRAD_DEVICE T polygamma(int k, T x) {
    const bool odd = k % 2 != 0;
    if (isnan(x) || x == -infinity<T>()) {
        return not_a_number<T>();
    }
    if (x == infinity<T>()) {
        return k == 0 ? x : T(0);
    }
    if (x > T(0)) {
        const T sum = polygamma_of_positive(k, x);
        return odd ? sum : -sum;
    }
    const T r = x - floor(x + T(0.5));
    if (r == T(0)) {
        return odd                   ? infinity<T>()
               : k == 0 && x == T(0) ? -copysign(infinity<T>(), x)
                                     : not_a_number<T>();
    }
    return -polygamma_of_positive(k, T(1) - x) - cotangent_derivative(k, r);
}

template <typename T>
MATGRAD_DEVICE T polygamma(T k, T x) {
    return polygamma(static_cast<int>(k), x);
}

template <typename T>
MATGRAD_DEVICE T digamma(T x) {
    return polygamma(0, x);
}

template <typename T>
MATGRAD_DEVICE T trigamma(T x) {
    return polygamma(1, x);
}

}  // namespace matgrad::block
