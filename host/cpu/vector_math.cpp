#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/vector_math.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/vector_math.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
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

/// x^exponent by repeated squaring, exponent >= 0.
template <typename T>
HWY_INLINE Vector<T> power_of(Vector<T> x, unsigned exponent) {
    const Strip<T> d;
    auto result = hn::Set(d, T{1});
    auto square = x;
    for (; exponent != 0; exponent >>= 1U) {
        if ((exponent & 1U) != 0) {
            result = hn::Mul(result, square);
        }
        square = hn::Mul(square, square);
    }
    return result;
}

template <typename T, typename Function>
HWY_INLINE void each(T* out, const T* a, std::int64_t count, Function function) {
    const Strip<T> d;
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d))) {
        hn::StoreU(function(hn::LoadU(d, a + i)), d, out + i);
    }
}

template <typename T, typename Function>
HWY_INLINE void each_pair(T* out, const T* a, const T* b, std::int64_t count, Function function) {
    const Strip<T> d;
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d))) {
        hn::StoreU(function(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
    }
}

template <typename T>
void pow_strip(T* out, const T* a, double number, std::int64_t count) {
    using V = Vector<T>;
    const Strip<T> d;
    if (number == std::trunc(number) && std::abs(number) <= 64) {
        const auto exponent = static_cast<unsigned>(std::abs(number));
        if (number >= 0) {
            return each<T>(out, a, count,
                           [exponent](V x) HWY_ATTR { return power_of<T>(x, exponent); });
        }
        return each<T>(out, a, count, [d, exponent](V x) HWY_ATTR {
            return hn::Div(hn::Set(d, T{1}), power_of<T>(x, exponent));
        });
    }
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<T>(std::pow(static_cast<double>(a[i]), number));
    }
}

template <typename T>
void apply_typed(MapOp op, T* out, const T* a, const T* b, double number, std::int64_t count) {
    using V = Vector<T>;
    const Strip<T> d;
    const auto c = hn::Set(d, static_cast<T>(number));
    switch (op) {
        case MapOp::add:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Add(x, y); });
        case MapOp::sub:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Sub(x, y); });
        case MapOp::mul:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Mul(x, y); });
        case MapOp::div:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Div(x, y); });
        case MapOp::mask:
            return each_pair<T>(out, a, b, count, [d](V x, V y) HWY_ATTR {
                return hn::IfThenZeroElse(hn::Eq(y, hn::Zero(d)), x);
            });
        case MapOp::scale:
            return each<T>(out, a, count, [c](V x) HWY_ATTR { return hn::Mul(c, x); });
        case MapOp::offset:
            return each<T>(out, a, count, [c](V x) HWY_ATTR { return hn::Add(c, x); });
        case MapOp::pow:
            return pow_strip<T>(out, a, number, count);
        case MapOp::exp:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return exp_of<T>(x); });
        case MapOp::log:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return log_of<T>(x); });
        case MapOp::sqrt:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return hn::Sqrt(x); });
        case MapOp::abs:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return hn::Abs(x); });
        case MapOp::sign:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return sign_of<T>(x); });
        case MapOp::step:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return step_of<T>(x); });
        case MapOp::sin:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return sin_of<T>(x); });
        case MapOp::cos:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return cos_of<T>(x); });
        case MapOp::tanh:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return tanh_of<T>(x); });
        case MapOp::sigmoid:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return sigmoid_of<T>(x); });
        case MapOp::softplus:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return softplus_of<T>(x); });
        case MapOp::relu:
            return each<T>(out, a, count, [](V x) HWY_ATTR { return relu_of<T>(x); });
        case MapOp::load:
        case MapOp::constant:
        case MapOp::is_diagonal:
        case MapOp::is_lower:
        case MapOp::is_upper:
            return;  // they know of positions: interpreter.hpp
    }
}

void apply_float(MapOp op, float* out, const float* a, const float* b, double number,
                 std::int64_t count) {
    apply_typed<float>(op, out, a, b, number, count);
}
void apply_double(MapOp op, double* out, const double* a, const double* b, double number,
                  std::int64_t count) {
    apply_typed<double>(op, out, a, b, number, count);
}

void widen(const float* in, double* out, std::int64_t count) {
    const Strip<double> d;
    const hn::Rebind<float, Strip<double>> narrow;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + step <= count; i += step) {
        hn::StoreU(hn::PromoteTo(d, hn::LoadU(narrow, in + i)), d, out + i);
    }
    for (; i < count; ++i) {
        out[i] = static_cast<double>(in[i]);
    }
}

void narrow(const double* in, float* out, std::int64_t count) {
    const Strip<double> d;
    const hn::Rebind<float, Strip<double>> narrow;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + step <= count; i += step) {
        hn::StoreU(hn::DemoteTo(narrow, hn::LoadU(d, in + i)), narrow, out + i);
    }
    for (; i < count; ++i) {
        out[i] = static_cast<float>(in[i]);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(apply_float);
HWY_EXPORT(apply_double);
HWY_EXPORT(widen);
HWY_EXPORT(narrow);
void convert_strip(const float* in, float* out, std::int64_t count) {
    std::copy_n(in, count, out);
}
void convert_strip(const double* in, double* out, std::int64_t count) {
    std::copy_n(in, count, out);
}
void convert_strip(const float* in, double* out, std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(widen)(in, out, count);
}
void convert_strip(const double* in, float* out, std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(narrow)(in, out, count);
}
void apply_strip(MapOp op, float* out, const float* a, const float* b, double number,
                 std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(apply_float)(op, out, a, b, number, count);
}
void apply_strip(MapOp op, double* out, const double* a, const double* b, double number,
                 std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(apply_double)(op, out, a, b, number, count);
}
}  // namespace matgrad::detail
#endif
