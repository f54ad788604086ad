/// \file The entrywise functions on vectors of numbers: `<name>_of` for each row of
/// functions/entrywise.hpp. Included once per instruction set (Highway's pattern).
///
/// NaN, infinity, zero and subnormal numbers give what the C library gives. Errors, the largest seen
/// in sweeps of all scales, in ulp: sqrt, abs, sign, step, relu, max and min are exact (sqrt rounds
/// once), as are comparisons and masks; entry_power is the C library's; log, xlogy 0.9 and 1.4; exp 1.1; atan 1.2;
/// log1p, expm1, sinh, erf 1.5; atanh 1.6; asinh, softplus 1.7; tan, cosh 1.8; acosh 2.2; tanh, sigmoid 2.4; sin,
/// cos 4. Of double lgamma 4.2 above 0, trigamma 5.1, normcdf, lognormcdf, normhazard and normexcess 5.5, digamma 5
/// above 0; of float these seven round once, but where lgamma and digamma pass 0 below it: there, and of negative
/// arguments of trigamma and polygamma, the error is that of the two terms of a reflection.

#if defined(MATGRAD_VECTOR_FUNCTIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_FUNCTIONS_INL
#undef MATGRAD_VECTOR_FUNCTIONS_INL
#else
#define MATGRAD_VECTOR_FUNCTIONS_INL
#endif

// clang-format off
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <cmath>
#include <limits>

#include "cpu/vector_areas-inl.hpp"
#include "cpu/vector_exponentials-inl.hpp"
#include "cpu/vector_gamma-inl.hpp"
#include "cpu/vector_math.hpp"
#include "cpu/vector_normal-inl.hpp"
#include "cpu/vector_series-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE Vector<T> sin_of(Vector<T> x) {
    const Strip<T> d;
    const auto safe = hn::Le(hn::Abs(x), hn::Set(d, Range<T>::kAngle));
    if (hn::AllTrue(d, safe)) {
        return hn::Sin(d, x);
    }
    const auto result = hn::Sin(d, hn::IfThenElseZero(safe, x));
    return finish_by_scalar<T>(x, result, safe, [](T v) { return std::sin(v); });
}

template <typename T>
HWY_INLINE Vector<T> cos_of(Vector<T> x) {
    const Strip<T> d;
    const auto safe = hn::Le(hn::Abs(x), hn::Set(d, Range<T>::kAngle));
    if (hn::AllTrue(d, safe)) {
        return hn::Cos(d, x);
    }
    const auto result = hn::Cos(d, hn::IfThenElseZero(safe, x));
    return finish_by_scalar<T>(x, result, safe, [](T v) { return std::cos(v); });
}

template <typename T>
HWY_INLINE Vector<T> sigmoid_of(Vector<T> x) {
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto small = exp_of<T>(hn::Neg(hn::Abs(x)));  // no overflow
    const auto top = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), small, one);
    return hn::Div(top, hn::Add(one, small));
}

template <typename T>
HWY_INLINE Vector<T> relu_of(Vector<T> x) {
    const Strip<T> d;
    return hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), x);  // a NaN stays
}

template <typename T>
HWY_INLINE Vector<T> sign_of(Vector<T> x) {
    const Strip<T> d;
    const auto moved = hn::Or(hn::Gt(x, hn::Zero(d)), hn::Lt(x, hn::Zero(d)));
    const auto result = hn::IfThenElseZero(moved, hn::CopySign(hn::Set(d, T{1}), x));
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

template <typename T>
HWY_INLINE Vector<T> step_of(Vector<T> x) {
    const Strip<T> d;
    const auto result = hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, T{1}));
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

template <typename T>
HWY_INLINE Vector<T> sqrt_of(Vector<T> x) {
    return hn::Sqrt(x);
}

template <typename T>
HWY_INLINE Vector<T> abs_of(Vector<T> x) {
    return hn::Abs(x);
}

template <typename T>
HWY_INLINE Vector<T> softplus_of(Vector<T> x) {
    const auto rest = log1p_of_fraction<T>(exp_of<T>(hn::Neg(hn::Abs(x))));
    return hn::Add(relu_of<T>(x), rest);
}

template <typename T>
HWY_INLINE Vector<T> atan_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto size = hn::Abs(x);
    // atan(x) = pi/4 + atan((x - 1)/(x + 1)) = pi/2 + atan(-1/x)
    const auto large = hn::Gt(size, hn::Set(d, T{5} / T{3}));
    const auto middle = hn::Gt(size, hn::Set(d, static_cast<T>(0.6)));
    auto above = hn::IfThenElse(middle, hn::Sub(size, one), size);
    auto below = hn::IfThenElse(middle, hn::Add(size, one), one);
    above = hn::IfThenElse(large, hn::Neg(one), above);
    below = hn::IfThenElse(large, size, below);
    const auto turns = hn::IfThenElseZero(middle, hn::IfThenElse(large, hn::Set(d, T{2}), one));
    const auto t = hn::Div(above, below);
    const auto z = hn::Mul(t, t);
    const auto low = hn::Mul(turns, hn::Set(d, S::kQuarterPi[1]));
    const auto rest = hn::MulAdd(hn::Mul(t, z), polynomial<T>(z, S::kAtan), low);
    const auto result = hn::MulAdd(turns, hn::Set(d, S::kQuarterPi[0]), hn::Add(t, rest));
    return hn::CopySign(result, x);
}

/// The tangent where |x| <= kAngle.
template <typename T>
HWY_INLINE Vector<T> small_tan_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const Whole<T> q(hn::Mul(x, hn::Set(d, static_cast<T>(0.63661977236758134))));
    // r + low = x - q*pi/2
    auto r = x;
    auto low = hn::Zero(d);
    for (const T part : S::kHalfPi) {
        const auto product = hn::Mul(q.number, hn::Set(d, part));
        const auto next = hn::Sub(r, product);
        const auto back = hn::Sub(next, r);
        low = hn::Add(low, hn::Sub(hn::Sub(r, hn::Sub(next, back)), hn::Add(product, back)));
        r = next;
    }
    const auto high = hn::Add(r, low);
    low = hn::Add(hn::Sub(r, high), low);
    const auto z = hn::Mul(high, high);
    const auto half = hn::Mul(z, hn::Set(d, T{0.5}));
    const auto half_low = hn::Mul(hn::MulSub(high, high, z), hn::Set(d, T{0.5}));
    const auto one = hn::Set(d, T{1});
    const auto most = hn::Sub(one, half);
    // sin(high + low) and cos(high + low), each as a number and what its rounding left
    const auto sine_rest =
        hn::MulAdd(hn::Mul(high, z), polynomial<T>(z, S::kSin), hn::Mul(low, most));
    const auto sine = hn::Add(high, sine_rest);
    const auto sine_low = hn::Sub(sine_rest, hn::Sub(sine, high));
    const auto tail =
        hn::MulAdd(hn::Mul(z, z), polynomial<T>(z, S::kCos), hn::Sub(hn::Sub(one, most), half));
    const auto cosine_rest = hn::Sub(hn::NegMulAdd(sine, low, tail), half_low);
    const auto cosine = hn::Add(most, cosine_rest);
    const auto cosine_low = hn::Sub(cosine_rest, hn::Sub(cosine, most));
    // tan(r + pi/2) = -cos(r)/sin(r)
    const auto odd = q.is_odd();
    const auto above = hn::IfThenElse(odd, hn::Neg(cosine), sine);
    const auto above_low = hn::IfThenElse(odd, hn::Neg(cosine_low), sine_low);
    const auto below = hn::IfThenElse(odd, sine, cosine);
    const auto below_low = hn::IfThenElse(odd, sine_low, cosine_low);
    const auto quotient = hn::Div(above, below);
    const auto error = hn::NegMulAdd(quotient, below_low, above_low);
    const auto result = hn::Add(quotient, hn::Div(error, below));
    return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result);  // -0 stays
}

template <typename T>
HWY_INLINE Vector<T> tan_of(Vector<T> x) {
    const Strip<T> d;
    const auto safe = hn::Le(hn::Abs(x), hn::Set(d, Range<T>::kAngle));
    if (hn::AllTrue(d, safe)) {
        return small_tan_of<T>(x);
    }
    const auto result = small_tan_of<T>(hn::IfThenElseZero(safe, x));
    return finish_by_scalar<T>(x, result, safe, [](T v) { return std::tan(v); });
}

template <typename T>
HWY_INLINE Vector<T> erf_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto size = hn::Abs(x);
    const auto inside = hn::Lt(size, one);
    const auto z = hn::IfThenElseZero(inside, hn::Mul(x, x));
    const auto near = hn::MulAdd(size, polynomial<T>(z, S::kErf), size);
    // 1 - exp(log(erfc)); erf rounds to 1 from about 5.92, of floats from 3.92.
    const auto last =
        hn::Set(d, static_cast<T>(std::numeric_limits<T>::digits == 24 ? 3.92 : 5.93));
    const auto t = hn::Sub(hn::Max(hn::Min(size, last), one), one);
    const Exponent<T> e(polynomial<T>(t, S::kLogErfc));
    const auto erfc = hn::Add(one, hn::Add(e.r, hn::Add(e.odd, e.even)));
    const auto far = hn::NegMulAdd(erfc, power_of_two<T>(e.k), one);
    const auto result = hn::CopySign(hn::IfThenElse(inside, near, far), x);
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

// NaN if either argument is a NaN. Of 0 and -0 either may be the result.
template <typename T>
HWY_INLINE Vector<T> max_of(Vector<T> x, Vector<T> y) {
    const auto larger = hn::IfThenElse(hn::Gt(y, x), y, x);
    return hn::IfThenElse(hn::IsNaN(y), y, larger);
}

template <typename T>
HWY_INLINE Vector<T> min_of(Vector<T> x, Vector<T> y) {
    const auto smaller = hn::IfThenElse(hn::Lt(y, x), y, x);
    return hn::IfThenElse(hn::IsNaN(y), y, smaller);
}

template <typename T>
HWY_INLINE Vector<T> xlogy_of(Vector<T> x, Vector<T> y) {
    const auto zero = hn::And(hn::Eq(x, hn::Zero(Strip<T>())), hn::Eq(y, y));
    return hn::IfThenZeroElse(zero, hn::Mul(x, log_of<T>(y)));
}

template <typename T>
HWY_INLINE Vector<T> entry_power_of(Vector<T> x, Vector<T> y) {
    return by_scalar<T>(x, y, [](T base, T exponent) { return std::pow(base, exponent); });
}

template <typename T>
HWY_INLINE Vector<T> less_of(Vector<T> x, Vector<T> y) {
    return hn::IfThenElseZero(hn::Lt(x, y), hn::Set(Strip<T>(), T{1}));
}

template <typename T>
HWY_INLINE Vector<T> less_equal_of(Vector<T> x, Vector<T> y) {
    return hn::IfThenElseZero(hn::Le(x, y), hn::Set(Strip<T>(), T{1}));
}

// A NaN of y is not 0.
template <typename T>
HWY_INLINE Vector<T> mask_of(Vector<T> x, Vector<T> y) {
    return hn::IfThenZeroElse(hn::Eq(y, hn::Zero(Strip<T>())), x);
}

template <typename T>
HWY_INLINE Vector<T> unmask_of(Vector<T> x, Vector<T> y) {
    return hn::IfThenElseZero(hn::Eq(y, hn::Zero(Strip<T>())), x);
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
