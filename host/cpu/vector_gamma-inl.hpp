/// \file The logarithm of the gamma function and its derivatives on vectors of numbers. Floats are computed in
/// double.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_VECTOR_GAMMA_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_GAMMA_INL
#undef MATGRAD_VECTOR_GAMMA_INL
#else
#define MATGRAD_VECTOR_GAMMA_INL
#endif

#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "cpu/gamma.hpp"
#include "cpu/vector_exponentials-inl.hpp"
#include "cpu/vector_series-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// Interpolated at the Chebyshev points in 60 digits (1e-16), with w = 1/x^2:
///   lgamma(2 + y) = y*(1 + y)*kLogGamma(y)                                     -1 <= y <= 1
///   lgamma(x) = (x - 1/2)*(log(x) - 1) + (log(2*pi) - 1)/2 + kStirling(w)/x    x >= 3
///   digamma(x) = log(x) - 1/(2*x) - w*kDigamma(w)                              x >= 4
///   digamma(x) = (x - root)*kDigammaAtRoot(x - 3/2)                            1 <= x <= 2
///   trigamma(x) = 1/x + w/2 + w/x*kTrigamma(w)                                 x >= 4
struct GammaSeries {
    static constexpr double kLogGamma[] = {
        0.42278433509846713,     -0.10031730167435392,    0.03296500062115691,
        -0.012384192193371805,   0.004998641164627129,    -0.0021081308339216706,
        0.0009153769240386907,   -0.0004057073983775151,  0.0001825526153982638,
        -8.309511477709561e-05,  3.816907658276081e-05,   -1.7661767658452517e-05,
        8.221234475942905e-06,   -3.846858091533014e-06,  1.8113906873056685e-06,
        -8.54560908975883e-07,   3.958940459367468e-07,   -1.878442644643758e-07,
        1.042041826608264e-07,   -4.9827532071170234e-08, 5.910565853507869e-09,
        -2.7296358592514825e-09, 1.6194359237484174e-08,  -7.842557720538356e-09,
        -4.312495770350818e-09,  2.0986002157033107e-09,  1.5746606982777302e-09,
        -7.639292345836201e-10};
    static constexpr double kStirling[] = {
        0.08333333333333333,    -0.0027777777777757695, 0.0007936507926224036,
        -0.0005952378854502554, 0.0008417282393990981,  -0.001916046419697739,
        0.0063461105730891,     -0.027601909918477305,  0.1360546681249374,
        -0.6346190750401391,    2.3482970466898916,     -5.724231295054608,
        6.653396122091007};
    static constexpr double kDigamma[] = {
        0.08333333333333333,  -0.008333333333331309, 0.003968253966691739, -0.004166666189390196,
        0.007575681287168583, -0.021085480229765113, 0.08287780755096293,  -0.423884343850863,
        2.469154100387341,    -13.426103024210674,   53.4565233831833,     -107.6122948212036};
    static constexpr double kDigammaAtRoot[] = {
        0.951055876031833,      -0.4236274212814605,     0.2405424842407742,
        -0.14840492305390884,   0.09498872445494122,     -0.061922133273064534,
        0.04076083381242074,    -0.02697579675613825,    0.0179072524394512,
        -0.011908218001568644,  0.007926944646403797,    -0.005279964873257405,
        0.003519006401502276,   -0.002345267632540769,   0.0015566317474486838,
        -0.0010376374098418604, 0.0007233266279287554,   -0.0004821990530566789,
        0.0002272331660987376,  -0.00015148586836773365, 0.00025968482126430747,
        -0.00017312261802727394};
    static constexpr double kTrigamma[] = {
        0.16666666666666666, -0.03333333333329166, 0.02380952377732202, -0.03333332347936297,
        0.07575599663211958, -0.25296153274760436, 1.1571459652312488,  -6.683579400034033,
        42.46329799377522,   -243.83649828935145,  1002.5605696900742,  -2057.087662362188};
    static constexpr double kRoot[] = {1.4616321449683622, 9.549995429965697e-17};
};

HWY_INLINE Vector<double> lgamma_of_double(Vector<double> x) {
    using S = GammaSeries;
    const Strip<double> d;
    const auto one = hn::Set(d, 1.0);
    const auto safe =
        hn::And(hn::Gt(x, hn::Zero(d)), hn::Le(x, hn::Set(d, std::numeric_limits<double>::max())));
    const auto positive = hn::IfThenElse(safe, x, one);
    const auto log = log_of<double>(positive);
    // lgamma(x) = lgamma(x + 1) - log(x) below 1
    const auto small = hn::Lt(positive, one);
    const auto y = hn::Sub(positive, hn::IfThenElse(small, one, hn::Set(d, 2.0)));
    const auto next = hn::IfThenElse(small, positive, hn::Sub(positive, one));
    const auto far = hn::Ge(positive, hn::Set(d, 3.0));
    const auto inside = hn::IfThenZeroElse(far, y);
    const auto product = hn::Mul(hn::Mul(inside, next), polynomial<double>(inside, S::kLogGamma));
    const auto near = hn::Sub(product, hn::IfThenElseZero(small, log));
    const auto r = hn::Div(one, hn::IfThenElse(far, positive, hn::Set(d, 3.0)));
    const auto rest = hn::MulAdd(polynomial<double>(hn::Mul(r, r), S::kStirling), r,
                                 hn::Set(d, 0.41893853320467278));
    const auto beyond = hn::MulAdd(hn::Sub(positive, hn::Set(d, 0.5)), hn::Sub(log, one), rest);
    const auto result = hn::IfThenElse(far, beyond, near);
    if (hn::AllTrue(d, safe)) {
        return result;
    }
    return finish_by_scalar<double>(x, result, safe, [](double v) { return log_gamma(v); });
}

/// x > 0 moved to 4 or beyond, and what that takes of a sum over i = 0..3: of 1/(x + i), of 1/(x + i)^2.
/// With u = x*(x + 3) the inner two are at (x + 1)*(x + 2) = u + 2.
struct Shifted {
    Where<double> small;
    Vector<double> far, r, w, near, u, v;

    explicit HWY_INLINE Shifted(Vector<double> x) {
        const Strip<double> d;
        small = hn::Lt(x, hn::Set(d, 4.0));
        far = hn::IfThenElse(small, hn::Add(x, hn::Set(d, 4.0)), x);
        r = hn::Div(hn::Set(d, 1.0), far);
        w = hn::Mul(r, r);
        near = hn::IfThenElse(small, x, hn::Set(d, 1.0));
        u = hn::Mul(near, hn::Add(near, hn::Set(d, 3.0)));
        v = hn::Add(u, hn::Set(d, 2.0));
    }
    HWY_INLINE Vector<double> sum() const {
        const Strip<double> d;
        const auto both = hn::Add(hn::Add(near, near), hn::Set(d, 3.0));
        const auto above = hn::Mul(both, hn::Add(u, v));
        return hn::IfThenElseZero(small, hn::Div(above, hn::Mul(u, v)));
    }
    HWY_INLINE Vector<double> sum_of_squares() const {
        const Strip<double> d;
        const auto twice = hn::Add(u, u);
        const auto outer = hn::Div(hn::Add(twice, hn::Set(d, 9.0)), hn::Mul(u, u));
        const auto inner = hn::Div(hn::Add(twice, hn::Set(d, 5.0)), hn::Mul(v, v));
        return hn::IfThenElseZero(small, hn::Add(outer, inner));
    }
};

/// x, or 1 - x where that is not positive, from where a reflection leads back.
HWY_INLINE Vector<double> reflected(Vector<double> x) {
    const Strip<double> d;
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Sub(hn::Set(d, 1.0), x), x);
}

HWY_INLINE Vector<double> digamma_of_double(Vector<double> x) {
    using S = GammaSeries;
    const Strip<double> d;
    const auto y = reflected(x);
    const Shifted s(y);
    const auto half = hn::Mul(s.r, hn::Set(d, 0.5));
    const auto series = hn::MulAdd(s.w, polynomial<double>(s.w, S::kDigamma), half);
    const auto far = hn::Sub(hn::Sub(log_of<double>(s.far), series), s.sum());
    const auto moved = hn::Sub(y, hn::Set(d, 1.5));
    const auto at_root = hn::Le(hn::Abs(moved), hn::Set(d, 0.5));
    const auto from_root = hn::Sub(hn::Sub(y, hn::Set(d, S::kRoot[0])), hn::Set(d, S::kRoot[1]));
    const auto slope = polynomial<double>(hn::IfThenElseZero(at_root, moved), S::kDigammaAtRoot);
    const auto result = hn::IfThenElse(at_root, hn::Mul(from_root, slope), far);
    const auto direct = hn::Or(hn::Gt(x, hn::Zero(d)), hn::IsNaN(x));
    if (hn::AllTrue(d, direct)) {
        return result;
    }
    return hn::Add(result, finish_by_scalar<double>(x, hn::Zero(d), direct, digamma_reflection));
}

HWY_INLINE Vector<double> trigamma_of_double(Vector<double> x) {
    using S = GammaSeries;
    const Strip<double> d;
    const Shifted s(reflected(x));
    const auto half = hn::Mul(s.w, hn::Set(d, 0.5));
    const auto tail = hn::MulAdd(hn::Mul(s.w, s.r), polynomial<double>(s.w, S::kTrigamma), half);
    const auto result = hn::Add(hn::Add(s.r, tail), s.sum_of_squares());
    const auto direct = hn::Or(hn::Gt(x, hn::Zero(d)), hn::IsNaN(x));
    if (hn::AllTrue(d, direct)) {
        return result;
    }
    const auto both = finish_by_scalar<double>(x, hn::Zero(d), direct, trigamma_reflection);
    return hn::IfThenElse(direct, result, hn::Sub(both, result));
}

template <typename T>
HWY_INLINE Vector<T> lgamma_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return lgamma_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> digamma_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return digamma_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> trigamma_of(Vector<T> x) {
    return in_double<T>(x, [](Vector<double> v) HWY_ATTR { return trigamma_of_double(v); });
}

template <typename T>
HWY_INLINE Vector<T> polygamma_of(Vector<T> order, Vector<T> x) {
    return by_scalar<T>(order, x, [](T k, T v) {
        return static_cast<T>(polygamma(static_cast<int>(k), static_cast<double>(v)));
    });
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
