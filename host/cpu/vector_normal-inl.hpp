/// \file The normal distribution on vectors of numbers. Floats are computed in double.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_VECTOR_NORMAL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_NORMAL_INL
#undef MATGRAD_VECTOR_NORMAL_INL
#else
#define MATGRAD_VECTOR_NORMAL_INL
#endif

#include <hwy/highway.h>

#include "cpu/vector_exponentials-inl.hpp"
#include "cpu/vector_series-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// The excess of the hazard, density(t)/normcdf(-t) - t, for t >= 0: sum of kExcess[i]*s^i/(t + 3) with
/// s = 1 - 6/(t + 3), from -1 to 1 (interpolated at the Chebyshev points in 60 digits; 1.4e-16).
inline constexpr double kExcess[] = {
    1.698591929582619,       -0.8415387946870307,     0.01716314677430148,
    0.1856995799176169,      -0.02543475064091443,    -0.05463860593340348,
    0.007699762297609371,    0.0184312248067092,      -0.0009428856139867208,
    -0.00637154185744295,    -0.0006340039732171831,  0.0020435141167136454,
    0.0006121338339383774,   -0.0005421039410294128,  -0.0003229089501152929,
    9.171597127043352e-05,   0.0001223219577701832,   5.716007635900678e-06,
    -3.29825121031514e-05,   -1.0969839039832058e-05, 5.206748937139777e-06,
    4.205244200627846e-06,   6.127173440745114e-08,   -8.612135549858677e-07,
    -2.2527724230138959e-07, 8.020305666800401e-08,   3.570496723319336e-08};

HWY_INLINE Vector<double> far_excess(Vector<double> t) {
    const Strip<double> d;
    const auto r = hn::Div(hn::Set(d, 1.0), hn::Add(t, hn::Set(d, 3.0)));
    const auto s = hn::NegMulAdd(hn::Set(d, 6.0), r, hn::Set(d, 1.0));
    return hn::Mul(polynomial<double>(s, kExcess), r);
}

/// exp(-t^2/2)/sqrt(2*pi) for t >= 0. The square is taken in two parts: its rounding would be
/// magnified by its size.
HWY_INLINE Vector<double> density(Vector<double> t) {
    const Strip<double> d;
    const hn::RebindToUnsigned<Strip<double>> u;
    const auto near = hn::Min(t, hn::Set(d, 40.0));  // beyond, the density is 0
    const auto high = hn::BitCast(d, hn::AndNot(hn::Set(u, 0x7ffffffULL), hn::BitCast(u, near)));
    const auto exact = hn::Mul(high, high);
    const auto rest = hn::Mul(hn::Sub(near, high), hn::Add(near, high));
    const auto square = hn::Add(exact, rest);
    const auto lost = hn::Add(hn::Sub(exact, square), rest);
    const auto half = hn::Set(d, -0.5);
    const auto e = exp_of<double>(hn::Mul(square, half));
    const auto corrected = hn::MulAdd(e, hn::Mul(lost, half), e);
    const auto result = hn::Mul(corrected, hn::Set(d, 0.3989422804014327));
    return hn::IfThenElse(hn::IsNaN(t), t, result);
}

/// What the functions are made of, by the size t of x.
struct Tail {
    Vector<double> t, excess, hazard;

    explicit HWY_INLINE Tail(Vector<double> x)
        : t(hn::Abs(x)), excess(far_excess(t)), hazard(hn::Add(t, excess)) {}
    /// normcdf(-t)
    HWY_INLINE Vector<double> distribution() const { return hn::Div(density(t), hazard); }
};

HWY_INLINE Where<double> is_negative(Vector<double> x) {
    return hn::Lt(x, hn::Zero(Strip<double>()));
}

HWY_INLINE Vector<double> normcdf_of_double(Vector<double> x) {
    const auto tail = Tail(x).distribution();
    const auto above = hn::Sub(hn::Set(Strip<double>(), 1.0), tail);
    return hn::IfThenElse(is_negative(x), tail, above);
}

// -t^2/2 - log(sqrt(2*pi)*hazard) below 0, log1p(-normcdf(-x)) above
HWY_INLINE Vector<double> lognormcdf_of_double(Vector<double> x) {
    const Strip<double> d;
    const Tail tail(x);
    const auto below = is_negative(x);
    const auto one = hn::Set(d, 1.0);
    const auto ratio = hn::MulSub(tail.hazard, hn::Set(d, 2.5066282746310002), one);
    const auto log = log1p_of<double>(hn::IfThenElse(below, ratio, hn::Neg(tail.distribution())));
    const auto half = hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5));
    return hn::IfThenElse(below, hn::Sub(half, log), log);
}

HWY_INLINE Vector<double> normhazard_of_double(Vector<double> x) {
    const Tail tail(x);
    const auto one = hn::Set(Strip<double>(), 1.0);
    const auto dense = density(tail.t);
    const auto below = hn::Div(dense, hn::Sub(one, hn::Div(dense, tail.hazard)));
    return hn::IfThenElse(is_negative(x), below, tail.hazard);
}

HWY_INLINE Vector<double> normexcess_of_double(Vector<double> x) {
    const auto below = hn::Sub(normhazard_of_double(x), x);
    return hn::IfThenElse(is_negative(x), below, far_excess(hn::Abs(x)));
}

template <typename T>
HWY_INLINE Vector<T> normcdf_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return normcdf_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> lognormcdf_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return lognormcdf_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> normhazard_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return normhazard_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> normexcess_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return normexcess_of_double(v); });
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
