/// \file The entrywise functions on vectors of numbers: `<name>_of` for each row of
/// functions/entrywise.hpp. Included once per instruction set (Highway's pattern).
///
/// NaN, infinity, zero and subnormal numbers give what the C library gives.

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

#include "cpu/vector_math.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Strip = hn::CappedTag<T, kStripRoom>;
template <typename T>
using Vector = hn::Vec<Strip<T>>;
template <typename T>
using Where = hn::Mask<Strip<T>>;

/// Where each fast function is known to be good.
template <typename T>
struct Range;
template <>
struct Range<float> {
    static constexpr float kExpLow = -87.0F;      ///< below, results are subnormal
    static constexpr float kExpZero = -104.0F;    ///< below, exp rounds to 0
    static constexpr float kExpHigh = 88.0F;      ///< above, close to overflow
    static constexpr float kExpInfinite = 89.0F;  ///< above, exp is infinite
    static constexpr float kAngle = 1000.0F;
    static constexpr float kTanhOne = 10.0F;  ///< above, tanh rounds to 1
};
template <>
struct Range<double> {
    static constexpr double kExpLow = -706.0;
    static constexpr double kExpZero = -746.0;
    static constexpr double kExpHigh = 706.0;
    static constexpr double kExpInfinite = 710.0;
    static constexpr double kAngle = 1000.0;
    static constexpr double kTanhOne = 20.0;
};

/// Replaces the lanes of `fast` that are not `done` by scalar(x).
template <typename T, typename Scalar>
HWY_NOINLINE Vector<T> finish_by_scalar(Vector<T> x, Vector<T> fast, Where<T> done, Scalar scalar) {
    const Strip<T> d;
    HWY_ALIGN T in[kStripRoom];
    HWY_ALIGN T out[kStripRoom];
    HWY_ALIGN T finished[kStripRoom];
    hn::Store(x, d, in);
    hn::Store(fast, d, out);
    hn::Store(hn::IfThenElseZero(done, hn::Set(d, T{1})), d, finished);
    for (std::size_t l = 0; l < hn::Lanes(d); ++l) {
        if (finished[l] == T{0}) {
            out[l] = scalar(in[l]);
        }
    }
    return hn::Load(d, out);
}

template <typename T>
HWY_INLINE Vector<T> exp_of(Vector<T> x) {
    using R = Range<T>;
    const Strip<T> d;
    const auto safe =
        hn::And(hn::Ge(x, hn::Set(d, R::kExpLow)), hn::Le(x, hn::Set(d, R::kExpHigh)));
    if (hn::AllTrue(d, safe)) {
        return hn::Exp(d, x);
    }
    auto result = hn::Exp(d, hn::IfThenElseZero(safe, x));
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

template <typename T>
HWY_INLINE Vector<T> log_of(Vector<T> x) {
    const Strip<T> d;
    const auto safe = hn::And(hn::Ge(x, hn::Set(d, std::numeric_limits<T>::min())),
                              hn::Le(x, hn::Set(d, std::numeric_limits<T>::max())));
    if (hn::AllTrue(d, safe)) {
        return hn::Log(d, x);
    }
    const auto result = hn::Log(d, hn::IfThenElse(safe, x, hn::Set(d, T{1})));
    return finish_by_scalar<T>(x, result, safe, [](T v) { return std::log(v); });
}

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
HWY_INLINE Vector<T> tanh_of(Vector<T> x) {
    const Strip<T> d;
    const auto size = hn::Abs(x);
    const auto safe = hn::Le(size, hn::Set(d, Range<T>::kTanhOne));
    if (hn::AllTrue(d, safe)) {
        return hn::CopySign(hn::Tanh(d, size), x);
    }
    const auto one = hn::Gt(size, hn::Set(d, Range<T>::kTanhOne));
    auto result = hn::Tanh(d, hn::IfThenElseZero(safe, size));
    result = hn::CopySign(hn::IfThenElse(one, hn::Set(d, T{1}), result), x);
    return hn::IfThenElse(hn::IsNaN(x), x, result);
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
HWY_INLINE Vector<T> softplus_of(Vector<T> x) {
    const Strip<T> d;
    const auto small = exp_of<T>(hn::Neg(hn::Abs(x)));
    // log(1 + e) is e to working accuracy where e*e/2 is below half an ulp of e.
    const auto tiny = hn::Lt(small, hn::Set(d, std::numeric_limits<T>::epsilon() / 2));
    const auto rest = hn::Log1p(d, hn::IfThenElse(tiny, hn::Set(d, T{1}), small));
    const auto sum = hn::Add(relu_of<T>(x), hn::IfThenElse(tiny, small, rest));
    return hn::IfThenElse(hn::IsNaN(x), x, sum);
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

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
