/// \file What vector functions are made of: series, powers of two, exponentials in parts, and the way
/// out to the C library.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_VECTOR_SERIES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_VECTOR_SERIES_INL
#undef MATGRAD_VECTOR_SERIES_INL
#else
#define MATGRAD_VECTOR_SERIES_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
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

/// scalar(x, y) of each pair.
template <typename T, typename Scalar>
HWY_INLINE Vector<T> by_scalar(Vector<T> x, Vector<T> y, Scalar scalar) {
    const Strip<T> d;
    HWY_ALIGN T left[kStripRoom];
    HWY_ALIGN T right[kStripRoom];
    hn::Store(x, d, left);
    hn::Store(y, d, right);
    for (std::size_t l = 0; l < hn::Lanes(d); ++l) {
        left[l] = scalar(left[l], right[l]);
    }
    return hn::Load(d, left);
}

/// function(x) in double, rounded once.
template <typename T, typename Function>
HWY_INLINE Vector<T> in_double(Vector<T> x, Function function) {
    if constexpr (std::numeric_limits<T>::digits == std::numeric_limits<double>::digits) {
        return function(x);
    } else {
        const Strip<T> d;
        const Strip<double> wide;
        const hn::Rebind<T, Strip<double>> part;
        HWY_ALIGN T values[kStripRoom];
        hn::Store(x, d, values);
        for (std::size_t l = 0; l < hn::Lanes(d); l += hn::Lanes(wide)) {
            const auto result = function(hn::PromoteTo(wide, hn::LoadU(part, values + l)));
            hn::StoreU(hn::DemoteTo(part, result), part, values + l);
        }
        return hn::Load(d, values);
    }
}

/// sum of c[i]*x^i
template <typename T, std::size_t kCount>
HWY_INLINE Vector<T> polynomial(Vector<T> x, const T (&c)[kCount]) {
    const Strip<T> d;
    auto sum = hn::Set(d, c[kCount - 1]);
    for (std::size_t i = kCount - 1; i-- > 0;) {
        sum = hn::MulAdd(sum, x, hn::Set(d, c[i]));
    }
    return sum;
}

/// Minimax polynomials, lowest coefficient first (Remez exchange in 60 digits), with z = r^2:
///   cosh(r) = 1 + z*kCosh(z), sinh(r) = r + r*z*kSinh(z)             |r| <= log(2)/2
///   sin(r) = r + r*z*kSin(z), cos(r) = 1 - z/2 + z^2*kCos(z)         |r| <= pi/4
///   atan(r) = r + r*z*kAtan(z)                                       |r| <= 0.6
///   erf(r) = r + r*kErf(z)                                           |r| <= 1
///   erfc(t + 1) = exp(kLogErfc(t))                                   0 <= t until erf rounds to 1
///   log((1 + r)/(1 - r)) = 2*r + r*z*kLog(z)                         |r| <= 0.1716
/// Constants in parts: a part times a whole number of few digits is exact, but for the last part.
template <typename T>
struct Series;
template <>
struct Series<float> {
    static constexpr float kCosh[] = {0.5F, 0.041666467F, 0.0013933617F};
    static constexpr float kSinh[] = {0.16666667F, 0.0083333105F, 0.0001989097F};
    static constexpr float kSin[] = {-0.16666667F, 0.008333332F, -0.00019840081F, 2.724935e-06F};
    static constexpr float kCos[] = {0.041666668F, -0.0013888888F, 2.4800598e-05F, -2.7300635e-07F};
    static constexpr float kAtan[] = {-0.33333334F, 0.19999945F,  -0.14283223F, 0.11067917F,
                                      -0.08725651F, 0.060308225F, -0.024805985F};
    static constexpr float kErf[] = {0.12837917F,  -0.37612626F,   0.11283585F,  -0.026853807F,
                                     0.005188318F, -0.0008010101F, 7.853533e-05F};
    static constexpr float kLogErfc[] = {-1.8496056F,    -2.6389675F,    -0.8431071F,
                                         -0.04156348F,   0.01004645F,    -0.0020119643F,
                                         0.00028952686F, -2.1686561e-05F};
    static constexpr float kLog[] = {0.6666667F, 0.40000123F, 0.28550765F, 0.2333188F};
    static constexpr float kLn2[] = {0.693145751953125F, 1.428606765330187e-06F};
    static constexpr float kHalfPi[] = {1.57080078125F, -4.454515874385834e-06F,
                                        6.076561476220377e-11F, 5.390653201597928e-15F,
                                        -3.503434304058558e-19F};
    static constexpr float kQuarterPi[] = {0.7853981852531433F, -2.1855694143368964e-08F};
};
template <>
struct Series<double> {
    static constexpr double kCosh[] = {0.5,
                                       0.04166666666666668,
                                       0.0013888888888879097,
                                       2.480158733639049e-05,
                                       2.7557263328323966e-07,
                                       2.0918121342855324e-09};
    static constexpr double kSinh[] = {0.16666666666666669, 0.008333333333330067,
                                       0.0001984126986302994, 2.7557268491535404e-06,
                                       2.510037236827374e-08};
    static constexpr double kSin[] = {-0.16666666666666666,    0.008333333333330922,
                                      -0.00019841269836724218, 2.7557316086736407e-06,
                                      -2.5051128873318032e-08, 1.5917933891253894e-10};
    static constexpr double kCos[] = {0.041666666666666664,  -0.0013888888888887387,
                                      2.480158729875097e-05, -2.755731726490816e-07,
                                      2.087614497811146e-09, -1.1382547036607053e-11};
    static constexpr double kAtan[] = {
        -0.3333333333333333,  0.19999999999999843,  -0.142857142856816,    0.11111111108403375,
        -0.09090908973123236, 0.07692304596527434,  -0.06666613331727658,  0.05881719238889825,
        -0.05257794737561619, 0.04728928707573054,  -0.04198977116582965,  0.035052068782074584,
        -0.02494738972429498, 0.012809392456401478, -0.0033927125463343493};
    static constexpr double kErf[] = {
        0.1283791670955126,      -0.3761263890318375,     0.11283791670954857,
        -0.02686617064507284,    0.0052239776247803025,   -0.0008548326978708421,
        0.00012055331035618449,  -1.4925593474973579e-05, 1.6460972287797892e-06,
        -1.6350019439284482e-07, 1.4657839846584759e-08,  -1.1365507374904738e-09,
        5.944987125009645e-11};
    static constexpr double kLogErfc[] = {
        -1.8496055099332482,     -2.638967514234788,      -0.8431072563586768,
        -0.04156109804180822,    0.010033825374408476,    -0.001977902567924538,
        0.00023732248154483104,  2.627787483640614e-05,   -2.715911190628836e-05,
        9.608900376934273e-06,   -2.0597726760884965e-06, 1.4287630845190838e-07,
        9.754662414768404e-08,   -5.2037472778324655e-08, 1.4911300998993824e-08,
        -2.8640025298170995e-09, 3.682419791880213e-10,   -2.881499087577915e-11,
        1.0390761140738422e-12};
    static constexpr double kLog[] = {0.666666666666667,   0.399999999998987,   0.2857142862632171,
                                      0.22222211080676496, 0.18182892928066238, 0.1533159901821196,
                                      0.14617925393019127};
    static constexpr double kLn2[] = {0.6931471805601177, -1.7239444525614835e-13};
    static constexpr double kHalfPi[] = {1.5707963267950618, -1.6513995372428237e-13,
                                         1.6446256936323316e-26, 9.4131383561941e-40};
    static constexpr double kQuarterPi[] = {0.7853981633974483, 3.061616997868383e-17};
};

/// The whole number next to x, or to x*factor, and its last bits as an integer.
template <typename T>
struct Whole {
    static constexpr int kDigits = std::numeric_limits<T>::digits - 1;  // behind the point
    Vector<T> number;
    hn::Vec<hn::RebindToUnsigned<Strip<T>>> bits;

    explicit HWY_INLINE Whole(Vector<T> x) : Whole(x, T{1}) {}
    HWY_INLINE Whole(Vector<T> x, T factor) {
        const Strip<T> d;
        // Adding it moves the digits behind the point out of the number.
        const auto far = hn::Set(d, T{1.5} / std::numeric_limits<T>::epsilon());
        const auto moved = hn::MulAdd(x, hn::Set(d, factor), far);
        number = hn::Sub(moved, far);
        bits = hn::BitCast(hn::RebindToUnsigned<Strip<T>>(), moved);
    }
    /// 2^number, for exponents of normal numbers.
    HWY_INLINE Vector<T> power_of_two() const {
        const Strip<T> d;
        const hn::RebindToUnsigned<Strip<T>> u;
        return hn::BitCast(d,
                           hn::Add(hn::ShiftLeft<kDigits>(bits), hn::BitCast(u, hn::Set(d, T{1}))));
    }
    HWY_INLINE Where<T> is_odd() const {
        const Strip<T> d;
        const hn::RebindToUnsigned<Strip<T>> u;
        const auto one = hn::Set(u, 1);
        return hn::RebindMask(d, hn::Eq(hn::And(bits, one), one));
    }
};

template <typename T>
HWY_INLINE Vector<T> power_of_two(Vector<T> whole) {
    return Whole<T>(whole).power_of_two();
}

/// e^x = 2^k*(1 + r + odd + even) with sinh(r) = r + odd and cosh(r) = 1 + even, |r| <= log(2)/2.
template <typename T>
struct Exponent {
    Vector<T> k, r, odd, even;

    explicit HWY_INLINE Exponent(Vector<T> x) {
        using S = Series<T>;
        const Strip<T> d;
        k = Whole<T>(x, static_cast<T>(1.4426950408889634)).number;
        const auto high = hn::NegMulAdd(k, hn::Set(d, S::kLn2[0]), x);
        const auto low = hn::Mul(k, hn::Set(d, S::kLn2[1]));
        r = hn::Sub(high, low);
        const auto rounding = hn::Sub(hn::Sub(high, r), low);
        const auto z = hn::Mul(r, r);
        odd = hn::MulAdd(hn::Mul(r, z), polynomial<T>(z, S::kSinh), rounding);
        even = hn::Mul(z, polynomial<T>(z, S::kCosh));
    }
    /// sum*2^k, where 2^k alone may be out of range.
    HWY_INLINE Vector<T> scaled(Vector<T> sum) const {
        const Whole<T> half(k, T{0.5});
        const auto rest = power_of_two<T>(hn::Sub(k, half.number));
        return hn::Mul(hn::Mul(sum, half.power_of_two()), rest);
    }
};

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
