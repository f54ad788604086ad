/// \file Area functions on vectors of numbers, by log1p of what loses no digits.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_VECTOR_AREAS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_AREAS_INL
#undef MATGRAD_VECTOR_AREAS_INL
#else
#define MATGRAD_VECTOR_AREAS_INL
#endif

#include <hwy/highway.h>

#include <limits>

#include "cpu/vector_exponentials-inl.hpp"
#include "cpu/vector_series-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// log(2*x) for large x, else log1p(near): of what is large, the square would overflow.
template <typename T>
HWY_INLINE Vector<T> log_of_double(Vector<T> x, Where<T> large, Vector<T> near) {
    const Strip<T> d;
    const auto shift = hn::IfThenElseZero(large, hn::Set(d, static_cast<T>(0.69314718055994531)));
    return hn::Add(log1p_of<T>(hn::IfThenElse(large, x, near)), shift);
}

// log(x + sqrt(x^2 + 1)) = log1p(x + x^2/(1 + sqrt(x^2 + 1)))
template <typename T>
HWY_INLINE Vector<T> asinh_of(Vector<T> x) {
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto size = hn::Abs(x);
    const auto large = hn::Gt(size, hn::Set(d, T{4} / std::numeric_limits<T>::epsilon()));
    const auto square = hn::Mul(size, size);
    const auto root = hn::Sqrt(hn::Add(square, one));
    const auto near = hn::Add(size, hn::Div(square, hn::Add(one, root)));
    return hn::CopySign(log_of_double<T>(size, large, near), x);
}

// With t = x - 1: log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(t*(t + 2)))
template <typename T>
HWY_INLINE Vector<T> acosh_of(Vector<T> x) {
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto t = hn::Sub(x, one);
    const auto large = hn::Gt(x, hn::Set(d, T{4} / std::numeric_limits<T>::epsilon()));
    const auto near = hn::Add(t, hn::Sqrt(hn::Mul(t, hn::Add(t, hn::Set(d, T{2})))));
    const auto result = log_of_double<T>(x, large, near);
    const auto nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
    return hn::IfThenElse(hn::Lt(x, one), nan, result);
}

// log((1 + x)/(1 - x))/2 = log1p(2*x + 2*x^2/(1 - x))/2, which near 0 keeps the digits of x.
template <typename T>
HWY_INLINE Vector<T> atanh_of(Vector<T> x) {
    const Strip<T> d;
    const auto one = hn::Set(d, T{1});
    const auto size = hn::Abs(x);
    const auto twice = hn::Add(size, size);
    const auto rest = hn::Sub(one, size);
    const auto near = hn::Add(twice, hn::Div(hn::Mul(twice, size), rest));
    const auto small = hn::Lt(size, hn::Set(d, T{0.5}));
    const auto log = log1p_of<T>(hn::IfThenElse(small, near, hn::Div(twice, rest)));
    return hn::CopySign(hn::Mul(log, hn::Set(d, T{0.5})), x);
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
