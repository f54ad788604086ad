#pragma once
/// \file The normal distribution: right in both tails, NaN stays NaN.

#include "device.cuh"

namespace matgrad::block {

/// density(t)/normcdf(-t) - t for t >= 0, by a polynomial of s = 1 - 6/(t + 3) (host/cpu/vector_normal-inl.hpp).
template <typename T>
MATGRAD_DEVICE T far_excess(T t) {
    constexpr double kExcess[] = {
        1.698591929582619,       -0.8415387946870307,     0.01716314677430148,
        0.1856995799176169,      -0.02543475064091443,    -0.05463860593340348,
        0.007699762297609371,    0.0184312248067092,      -0.0009428856139867208,
        -0.00637154185744295,    -0.0006340039732171831,  0.0020435141167136454,
        0.0006121338339383774,   -0.0005421039410294128,  -0.0003229089501152929,
        9.171597127043352e-05,   0.0001223219577701832,   5.716007635900678e-06,
        -3.29825121031514e-05,   -1.0969839039832058e-05, 5.206748937139777e-06,
        4.205244200627846e-06,   6.127173440745114e-08,   -8.612135549858677e-07,
        -2.2527724230138959e-07, 8.020305666800401e-08,   3.570496723319336e-08};
    constexpr int kCount = sizeof(kExcess) / sizeof(kExcess[0]);
    const T r = T(1) / (t + T(3));
    const T s = T(1) - T(6) * r;
    T sum = T(kExcess[kCount - 1]);
    MATGRAD_UNROLL
    for (int i = kCount - 2; i >= 0; --i) {
        sum = sum * s + T(kExcess[i]);
    }
    return sum * r;
}

/// exp(-t^2/2)/sqrt(2*pi) for t >= 0. The square of `high` has few digits and is exact; the rounding of t^2 would
/// be magnified by its size.
template <typename T>
MATGRAD_DEVICE T density(T t) {
    const T near = t < T(40) ? t : T(40);  // beyond, the density is 0
    const T high = floor(near * T(32)) / T(32);
    const T exact = high * high;
    const T rest = (near - high) * (near + high);
    const T square = exact + rest;
    const T lost = (exact - square) + rest;
    const T e = exp(T(-0.5) * square);
    const T result = T(0.3989422804014327) * (e - e * (T(0.5) * lost));
    return isnan(t) ? t : result;
}

template <typename T>
MATGRAD_DEVICE T normcdf(T x) {
    const T t = fabs(x);
    const T tail = density(t) / (t + far_excess(t));
    return x < T(0) ? tail : T(1) - tail;
}

template <typename T>
MATGRAD_DEVICE T lognormcdf(T x) {
    const T t = fabs(x);
    const T hazard = t + far_excess(t);
    return x < T(0) ? T(-0.5) * x * x - log(T(2.5066282746310002) * hazard)
                    : log1p(-density(t) / hazard);
}

/// density(x)/normcdf(-x)
template <typename T>
MATGRAD_DEVICE T normhazard(T x) {
    const T t = fabs(x);
    const T hazard = t + far_excess(t);
    const T dense = density(t);
    return x < T(0) ? dense / (T(1) - dense / hazard) : hazard;
}

/// normhazard(x) - x
template <typename T>
MATGRAD_DEVICE T normexcess(T x) {
    return x < T(0) ? normhazard(x) - x : far_excess(fabs(x));
}

}  // namespace matgrad::block
