/// \file Exponentials and logarithms on vectors of numbers, which the functions of vector_functions-inl.hpp are made
/// of or are.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_VECTOR_EXPONENTIALS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_EXPONENTIALS_INL
#undef MATGRAD_VECTOR_EXPONENTIALS_INL
#else
#define MATGRAD_VECTOR_EXPONENTIALS_INL
#endif

#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "cpu/vector_math.hpp"
#include "cpu/vector_series-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// Where each fast function is known to be good.
template <typename T>
struct Range;
template <>
struct Range<float> {
    static constexpr float kExp = 87.0F;  ///< farther from 0, results are subnormal or overflow
    static constexpr float kExpZero = -104.0F;    ///< below, exp rounds to 0
    static constexpr float kExpInfinite = 89.0F;  ///< above, exp is infinite
    static constexpr float kAngle = 1000.0F;
    static constexpr float kTanhOne = 10.0F;  ///< above, tanh rounds to 1
};
template <>
struct Range<double> {
    static constexpr double kExp = 706.0;
    static constexpr double kExpZero = -746.0;
    static constexpr double kExpInfinite = 710.0;
    static constexpr double kAngle = 1000.0;
    static constexpr double kTanhOne = 20.0;
};

/// e^x where 2^k of the nearest power is a normal number.
template <typename T>
HWY_INLINE Vector<T> normal_exp_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const hn::RebindToUnsigned<Strip<T>> u;
    const Whole<T> k(x, static_cast<T>(1.4426950408889634));
    const auto high = hn::NegMulAdd(k.number, hn::Set(d, S::kLn2[0]), x);
    const auto r = hn::NegMulAdd(k.number, hn::Set(d, S::kLn2[1]), high);
    const auto z = hn::Mul(r, r);
    const auto tail = hn::MulAdd(polynomial<T>(z, S::kSinh), r, polynomial<T>(z, S::kCosh));
    const auto power = hn::Add(hn::Set(d, T{1}), hn::MulAdd(z, tail, r));
    const auto exponent = hn::ShiftLeft<Whole<T>::kDigits>(k.bits);
    return hn::BitCast(d, hn::Add(hn::BitCast(u, power), exponent));
}

template <typename T>
HWY_INLINE Vector<T> exp_of(Vector<T> x) {
    using R = Range<T>;
    const Strip<T> d;
    const auto safe = hn::Le(hn::Abs(x), hn::Set(d, R::kExp));
    if (hn::AllTrue(d, safe)) {
        return normal_exp_of<T>(x);
    }
    auto result = normal_exp_of<T>(hn::IfThenElseZero(safe, x));
    const auto zero = hn::Lt(x, hn::Set(d, R::kExpZero));
    const auto infinite = hn::Gt(x, hn::Set(d, R::kExpInfinite));
    const auto nan = hn::IsNaN(x);
    result = hn::IfThenZeroElse(zero, result);
    result = hn::IfThenElse(infinite, hn::Set(d, std::numeric_limits<T>::infinity()), result);
    result = hn::IfThenElse(nan, x, result);
    const auto done = hn::Or(hn::Or(safe, zero), hn::Or(infinite, nan));
    if (hn::AllTrue(d, done)) {
        return result;
    }
    return finish_by_scalar<T>(x, result, done, [](T v) { return std::exp(v); });
}

// ((1 - 2^-k) + r + odd + even)*2^k, where 1 - 2^-k + r is added without loss.
template <typename T>
HWY_INLINE Vector<T> expm1_of(Vector<T> x) {
    const Strip<T> d;
    const auto low =
        hn::Set(d, static_cast<T>(Whole<T>::kDigits * -0.75));  // below, it rounds to -1
    const auto high = hn::Set(d, Range<T>::kExpInfinite);
    const Exponent<T> e(hn::Min(hn::Max(x, low), high));
    const auto least = hn::Set(d, static_cast<T>(60));
    const auto one_less = hn::Sub(hn::Set(d, T{1}), power_of_two<T>(hn::Neg(hn::Min(e.k, least))));
    const auto sum = hn::Add(one_less, e.r);
    const auto rounding = hn::Add(hn::Sub(one_less, sum), e.r);
    const auto rest = hn::Add(rounding, hn::Add(e.odd, e.even));
    const auto result = hn::CopySign(e.scaled(hn::Add(sum, rest)), x);
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

template <typename T>
HWY_INLINE Vector<T> tanh_of(Vector<T> x) {
    const Strip<T> d;
    const auto size = hn::Min(hn::Abs(x), hn::Set(d, Range<T>::kTanhOne));
    const auto e = expm1_of<T>(hn::Add(size, size));
    const auto result = hn::CopySign(hn::Div(e, hn::Add(e, hn::Set(d, T{2}))), x);
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// cosh(x) = (sum*cosh(r) + difference*sinh(r))*2^k and sinh(x) = (difference*cosh(r) +
/// sum*sinh(r))*2^k with x = k*log(2) + r, sum = (1 + 4^-k)/2 and difference = (1 - 4^-k)/2.
template <typename T>
struct HalfExponents {
    Exponent<T> e;
    Vector<T> sum, difference;

    explicit HWY_INLINE HalfExponents(Vector<T> size)
        : e(hn::Min(size, hn::Set(Strip<T>(), Range<T>::kExpInfinite + T{2}))) {
        const Strip<T> d;
        const auto far = hn::Set(d, static_cast<T>(60));
        const auto half = hn::Set(d, T{0.5});
        const auto below = power_of_two<T>(hn::Neg(hn::Min(e.k, far)));
        const auto rest = hn::Mul(hn::Mul(below, below), half);
        sum = hn::Add(half, rest);
        difference = hn::Sub(half, rest);
    }
};

/// (a*cosh(r) + b*sinh(r))*2^k
template <typename T>
HWY_INLINE Vector<T> half_sum(const Exponent<T>& e, Vector<T> a, Vector<T> b) {
    const auto first = hn::Mul(b, e.r);
    const auto sum = hn::Add(a, first);
    const auto rounding = hn::Add(hn::Sub(a, sum), first);
    const auto small = hn::MulAdd(a, e.even, hn::Mul(b, e.odd));
    return e.scaled(hn::Add(sum, hn::Add(rounding, small)));
}

template <typename T>
HWY_INLINE Vector<T> cosh_of(Vector<T> x) {
    const HalfExponents<T> h(hn::Abs(x));
    return hn::IfThenElse(hn::IsNaN(x), x, half_sum<T>(h.e, h.sum, h.difference));
}

template <typename T>
HWY_INLINE Vector<T> sinh_of(Vector<T> x) {
    const HalfExponents<T> h(hn::Abs(x));
    const auto result = half_sum<T>(h.e, h.difference, h.sum);
    return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(result, x));
}

/// What k*log(2) + log(1 + f) is made of, but for k*S::kLn2[0]. With s = f/(2 + f) and z = s^2:
/// log(1 + f) = f - f^2/2 + s*(f^2/2 + z*series(z)). `small` is what lies below the last bit of the rest.
template <typename T>
HWY_INLINE Vector<T> log1p_series(Vector<T> f, Vector<T> small) {
    const Strip<T> d;
    const auto s = hn::Div(f, hn::Add(hn::Set(d, T{2}), f));
    const auto z = hn::Mul(s, s);
    const auto half = hn::Mul(hn::Mul(f, f), hn::Set(d, T{0.5}));
    const auto tail = hn::Mul(s, hn::MulAdd(z, polynomial<T>(z, Series<T>::kLog), half));
    return hn::Sub(f, hn::Sub(half, hn::Add(tail, small)));
}

/// log(1 + x) for x from 0 to 1, or NaN: neither f = x nor f = (x - 1)/2 loses anything.
template <typename T>
HWY_INLINE Vector<T> log1p_of_fraction(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const auto large = hn::Gt(x, hn::Set(d, static_cast<T>(0.41)));
    const auto moved = hn::MulSub(x, hn::Set(d, T{0.5}), hn::Set(d, T{0.5}));
    const auto small = hn::IfThenElseZero(large, hn::Set(d, S::kLn2[1]));
    const auto log = log1p_series<T>(hn::IfThenElse(large, moved, x), small);
    return hn::Add(log, hn::IfThenElseZero(large, hn::Set(d, S::kLn2[0])));
}

/// A normal positive number as 2^k*mantissa with sqrt(0.5) <= mantissa < sqrt(2).
template <typename T>
struct PowerAndMantissa {
    Vector<T> k, mantissa;

    explicit HWY_INLINE PowerAndMantissa(Vector<T> x) {
        constexpr int kDigits = Whole<T>::kDigits;
        const Strip<T> d;
        const hn::RebindToUnsigned<Strip<T>> u;
        const auto one = hn::BitCast(u, hn::Set(d, T{1}));
        const auto bits = hn::BitCast(u, x);
        const auto middle = hn::BitCast(u, hn::Set(d, static_cast<T>(0.70710678118654752)));
        const auto exponent = hn::ShiftRight<kDigits>(hn::Sub(hn::Add(bits, one), middle));
        // As the last digits of a number whose last digit counts whole numbers.
        const auto far = hn::Set(d, T{1} / std::numeric_limits<T>::epsilon());
        const auto bias =
            hn::Add(far, hn::Set(d, static_cast<T>(std::numeric_limits<T>::max_exponent - 1)));
        k = hn::Sub(hn::BitCast(d, hn::Or(exponent, hn::BitCast(u, far))), bias);
        mantissa = hn::BitCast(d, hn::Sub(hn::Add(bits, one), hn::ShiftLeft<kDigits>(exponent)));
    }
};

template <typename T>
HWY_INLINE Vector<T> log_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto safe = hn::And(hn::Ge(x, hn::Set(d, std::numeric_limits<T>::min())),
                              hn::Le(x, hn::Set(d, std::numeric_limits<T>::max())));
    const bool all = hn::AllTrue(d, safe);
    const PowerAndMantissa<T> parts(all ? x : hn::IfThenElse(safe, x, one));
    const auto log =
        log1p_series<T>(hn::Sub(parts.mantissa, one), hn::Mul(parts.k, hn::Set(d, S::kLn2[1])));
    const auto result = hn::MulAdd(parts.k, hn::Set(d, S::kLn2[0]), log);
    return all ? result : finish_by_scalar<T>(x, result, safe, [](T v) { return std::log(v); });
}

// log(1 + x) = k*log(2) + log(1 + f); where x is small, f is x itself.
template <typename T>
HWY_INLINE Vector<T> log1p_of(Vector<T> x) {
    using S = Series<T>;
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    if (hn::AllTrue(d, hn::And(hn::Gt(x, hn::Zero(d)), hn::Le(x, one)))) {
        return log1p_of_fraction<T>(x);
    }
    const auto sum = hn::Add(one, x);
    const PowerAndMantissa<T> parts(sum);
    // What was lost in 1 + x, in units of the sum.
    const auto lost = hn::IfThenElse(hn::Ge(x, one), hn::Sub(one, hn::Sub(sum, x)),
                                     hn::Sub(x, hn::Sub(sum, one)));
    auto correction = hn::Div(lost, sum);
    const auto near = hn::And(hn::Gt(x, hn::Set(d, static_cast<T>(-0.29))),
                              hn::Lt(x, hn::Set(d, static_cast<T>(0.41))));
    const auto f = hn::IfThenElse(near, x, hn::Sub(parts.mantissa, one));
    const auto k = hn::IfThenZeroElse(near, parts.k);
    correction = hn::IfThenZeroElse(near, correction);
    const auto log = log1p_series<T>(f, hn::MulAdd(k, hn::Set(d, S::kLn2[1]), correction));
    auto result = hn::CopySign(hn::MulAdd(k, hn::Set(d, S::kLn2[0]), log), x);
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    result = hn::IfThenElse(hn::Eq(x, hn::Set(d, T{-1})), hn::Set(d, -kInfinity), result);
    result = hn::IfThenElse(hn::Eq(x, hn::Set(d, kInfinity)), x, result);
    const auto outside = hn::Or(hn::Lt(x, hn::Set(d, T{-1})), hn::IsNaN(x));
    return hn::IfThenElse(outside, hn::Set(d, std::numeric_limits<T>::quiet_NaN()), result);
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
