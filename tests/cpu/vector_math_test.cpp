/// Entrywise functions against the C library in long double, where they are hard: at the edges of
/// their ranges, at subnormal numbers, zeros, infinities and NaN.

#include "cpu/vector_math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace matgrad::test {
namespace {

using detail::apply_strip;
using detail::kStripRoom;

/// Error in units of the last place of the exact result rounded to T.
template <typename T>
long double error_in_ulp(T got, long double want) {
    if (std::isnan(want)) {
        return std::isnan(got) ? 0 : std::numeric_limits<long double>::infinity();
    }
    const T rounded = static_cast<T>(want);
    if (std::isinf(rounded) || rounded == 0) {
        if (got == rounded) {
            return 0;
        }
        // One ulp beside the edge of the range is not an error of principle.
        const T size = std::abs(got);
        const T edge =
            rounded == 0 ? std::numeric_limits<T>::denorm_min() : std::numeric_limits<T>::max();
        return size == edge ? 1 : std::numeric_limits<long double>::infinity();
    }
    const T size = std::abs(rounded);
    const long double ulp = size < std::numeric_limits<T>::min()
                                ? std::numeric_limits<T>::denorm_min()
                                : static_cast<long double>(std::ldexp(
                                      std::numeric_limits<T>::epsilon(), std::ilogb(size)));
    return std::abs(static_cast<long double>(got) - want) / ulp;
}

template <typename T>
std::vector<T> hard_values() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> values = {0,
                             Limits::denorm_min(),
                             Limits::min() / 2,
                             Limits::min(),
                             Limits::epsilon() / 4,
                             Limits::epsilon(),
                             T(1e-5),
                             T(0.1),
                             T(0.5),
                             std::nextafter(T(1), T(0)),
                             T(1),
                             std::nextafter(T(1), T(2)),
                             T(2),
                             T(3.14159265358979323846),
                             T(10),
                             T(16.5),
                             T(17.5),
                             T(20),
                             T(86.9),
                             T(87.4),
                             T(88.7),
                             T(88.8),
                             T(90),
                             T(103.9),
                             T(104.5),
                             T(705.9),
                             T(708.5),
                             T(709.7),
                             T(709.9),
                             T(745),
                             T(746),
                             T(999.9),
                             T(1001),
                             T(39000),
                             T(1e6),
                             T(1e20),
                             Limits::max(),
                             Limits::infinity()};
    const std::size_t size = values.size();
    for (std::size_t i = 0; i < size; ++i) {
        values.push_back(-values[i]);
    }
    values.push_back(Limits::quiet_NaN());
    std::mt19937 engine(5);
    std::uniform_real_distribution<T> near(-4, 4);
    std::uniform_real_distribution<T> far(-110, 110);
    std::uniform_real_distribution<T> power(-30, 30);
    for (int i = 0; i < 20000; ++i) {
        values.push_back(near(engine));
        values.push_back(far(engine));
        values.push_back(std::exp2(power(engine)));
    }
    for (int k = 1; k < 640; ++k) {  // close to zeros of sin and cos
        values.push_back(static_cast<T>(k * 1.57079632679489661923));
    }
    return values;
}

template <typename T>
void check(MapOp op, double number, long double bound,
           const std::function<long double(long double)>& exact) {
    std::vector<T> in = hard_values<T>();
    const std::size_t size = in.size();
    in.resize(size + kStripRoom, T(1));
    std::vector<T> out(in.size());
    apply_strip(op, out.data(), in.data(), in.data(), number, static_cast<std::int64_t>(size));
    long double worst = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const long double want = exact(in[i]);
        const long double error = error_in_ulp(out[i], want);
        ASSERT_LE(error, bound) << "op " << static_cast<int>(op) << " of "
                                << static_cast<double>(in[i]) << " gave "
                                << static_cast<double>(out[i]) << " for "
                                << static_cast<double>(want);
        worst = std::max(worst, error);
    }
    // The place in the strip makes no difference, to the bit.
    for (std::size_t shift = 1; shift < 19; ++shift) {
        std::vector<T> again(in.size());
        apply_strip(op, again.data(), in.data() + shift, in.data() + shift, number, 40);
        for (std::size_t i = 0; i < 40; ++i) {
            ASSERT_EQ(std::isnan(again[i]), std::isnan(out[i + shift]));
            ASSERT_TRUE(std::isnan(again[i]) || again[i] == out[i + shift]);
        }
    }
    testing::Test::RecordProperty(
        "worst_ulp_" + std::to_string(sizeof(T)) + "_" + std::to_string(static_cast<int>(op)),
        std::to_string(static_cast<double>(worst)));
}

void check_both(MapOp op, double number, long double bound,
                const std::function<long double(long double)>& exact) {
    {
        SCOPED_TRACE("float");
        check<float>(op, number, bound, exact);
    }
    SCOPED_TRACE("double");
    check<double>(op, number, bound, exact);
}

TEST(VectorMath, ExpIsGoodToOneAndAHalfUlpEverywhere) {
    check_both(MapOp::exp, 0, 1.5L, [](long double x) { return std::exp(x); });
}
TEST(VectorMath, LogIsGoodToOneAndAHalfUlpEverywhere) {
    check_both(MapOp::log, 0, 1.5L, [](long double x) { return std::log(x); });
}
TEST(VectorMath, SinIsGoodToFourUlpEverywhere) {
    check_both(MapOp::sin, 0, 4, [](long double x) { return std::sin(x); });
}
TEST(VectorMath, CosIsGoodToFourUlpEverywhere) {
    check_both(MapOp::cos, 0, 4, [](long double x) { return std::cos(x); });
}
TEST(VectorMath, TanhIsGoodToThreeUlpEverywhere) {
    check_both(MapOp::tanh, 0, 3, [](long double x) { return std::tanh(x); });
}
TEST(VectorMath, SigmoidDoesNotOverflow) {
    check_both(MapOp::sigmoid, 0, 3, [](long double x) {
        return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
    });
}
TEST(VectorMath, SoftplusDoesNotOverflow) {
    check_both(MapOp::softplus, 0, 2, [](long double x) {
        return std::isnan(x) ? x : std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x)));
    });
}
TEST(VectorMath, TanAtanLog1pAreGoodToTwoUlpEverywhere) {
    check_both(MapOp::tan, 0, 2, [](long double x) { return std::tan(x); });
    check_both(MapOp::atan, 0, 2, [](long double x) { return std::atan(x); });
    check_both(MapOp::log1p, 0, 2, [](long double x) { return std::log1p(x); });
}
TEST(VectorMath, Expm1CoshSinhErfAreGoodToTwoUlpEverywhere) {
    check_both(MapOp::expm1, 0, 2, [](long double x) { return std::expm1(x); });
    check_both(MapOp::cosh, 0, 2, [](long double x) { return std::cosh(x); });
    check_both(MapOp::sinh, 0, 2, [](long double x) { return std::sinh(x); });
    check_both(MapOp::erf, 0, 2, [](long double x) { return std::erf(x); });
}
TEST(VectorMath, OddFunctionsKeepTheSignOfZero) {
    const MapOp odd[] = {MapOp::tanh,  MapOp::tan,  MapOp::atan, MapOp::log1p,
                         MapOp::expm1, MapOp::sinh, MapOp::erf};
    for (const MapOp op : odd) {
        std::vector<double> in(kStripRoom + 1, -0.0);
        std::vector<double> out(in.size());
        apply_strip(op, out.data(), in.data(), in.data(), 0, 1);
        EXPECT_TRUE(out[0] == 0 && std::signbit(out[0])) << static_cast<int>(op);
    }
}
TEST(VectorMath, SqrtAbsAreExact) {
    check_both(MapOp::sqrt, 0, 0.5L, [](long double x) { return std::sqrt(x); });
    check_both(MapOp::abs, 0, 0, [](long double x) { return std::abs(x); });
}
TEST(VectorMath, SignStepReluAreZeroAtZeroAndKeepNan) {
    check_both(MapOp::sign, 0, 0, [](long double x) {
        return std::isnan(x) ? x : x > 0 ? 1.0L : x < 0 ? -1.0L : 0.0L;
    });
    check_both(MapOp::step, 0, 0, [](long double x) {
        return std::isnan(x) ? x : x > 0 ? 1.0L : 0.0L;
    });
    check_both(MapOp::relu, 0, 0, [](long double x) {
        return std::isnan(x) ? x : x > 0 ? x : 0.0L;
    });
}
TEST(VectorMath, ScaleAndOffsetRoundOnce) {
    check_both(MapOp::scale, -0.75, 0.5L, [](long double x) { return -0.75L * x; });
    check_both(MapOp::offset, 0.25, 0.5L, [](long double x) { return 0.25L + x; });
}

TEST(VectorMath, PowersAgreeWithPow) {
    // k-1 products at most 2*log2(k): each half an ulp, and one for the reciprocal; in ulp of the
    // result twice that. Negative powers round a subnormal x^k, so stay in the normal range.
    for (const int k : {0, 1, 2, 3, 5, 8, 31, 64, -1, -2, -3, -7}) {
        std::vector<double> in(4000 + kStripRoom, 1.0);
        std::mt19937 engine(3);
        std::uniform_real_distribution<double> draw(-3, 3);
        for (double& x : in) {
            x = draw(engine);
        }
        std::vector<double> out(in.size());
        apply_strip(MapOp::pow, out.data(), in.data(), in.data(), k, 4000);
        for (std::size_t i = 0; i < 4000; ++i) {
            const long double want = std::pow(static_cast<long double>(in[i]), k);
            ASSERT_LE(error_in_ulp(out[i], want), std::abs(k) + 2) << in[i] << " ^ " << k;
        }
    }
    const std::function<long double(long double)> cubes[] = {
        [](long double x) { return std::pow(x, 0.0L); },
        [](long double x) { return std::pow(x, 2.0L); },
        [](long double x) { return std::pow(x, 0.5L); },
        [](long double x) { return std::pow(x, -1.5L); },
        [](long double x) { return std::pow(x, 65.0L); }};
    check_both(MapOp::pow, 0, 0, cubes[0]);
    check_both(MapOp::pow, 2, 0.5L, cubes[1]);
    check_both(MapOp::pow, 0.5, 1, cubes[2]);
    check_both(MapOp::pow, -1.5, 1, cubes[3]);
    check_both(MapOp::pow, 65, 1, cubes[4]);
}

TEST(VectorMath, PairsAndMask) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> a = {1, nan, nan, 4, -5, 0};
    const std::vector<double> b = {2, 0, 3, 0, -0.0, nan};
    std::vector<double> x(a);
    std::vector<double> y(b);
    x.resize(a.size() + kStripRoom);
    y.resize(a.size() + kStripRoom);
    std::vector<double> out(x.size());
    apply_strip(MapOp::mask, out.data(), x.data(), y.data(), 0, 6);
    EXPECT_EQ(out[0], 1);
    EXPECT_EQ(out[1], 0);
    EXPECT_TRUE(std::isnan(out[2]));
    EXPECT_EQ(out[3], 0);
    EXPECT_EQ(out[4], 0);
    EXPECT_EQ(out[5], 0);
    const MapOp ops[] = {MapOp::add, MapOp::sub, MapOp::mul, MapOp::div, MapOp::max, MapOp::min};
    const double want[] = {3, -1, 2, 0.5, 2, 1};
    for (std::size_t i = 0; i < std::size(ops); ++i) {
        apply_strip(ops[i], out.data(), x.data(), y.data(), 0, 6);
        EXPECT_EQ(out[0], want[i]);
        EXPECT_TRUE(std::isnan(out[1]));
        EXPECT_TRUE(std::isnan(out[5]));
    }
}

template <typename T>
void check_extrema() {
    const T infinity = std::numeric_limits<T>::infinity();
    std::vector<T> a = {1, 2, -infinity, 3, infinity, -1, std::numeric_limits<T>::denorm_min()};
    std::vector<T> b = {2, 2, 5, infinity, -infinity, -2, 0};
    const auto count = static_cast<std::int64_t>(a.size());
    a.resize(a.size() + kStripRoom);
    b.resize(a.size());
    std::vector<T> largest(a.size());
    std::vector<T> smallest(a.size());
    apply_strip(MapOp::max, largest.data(), a.data(), b.data(), 0, count);
    apply_strip(MapOp::min, smallest.data(), a.data(), b.data(), 0, count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        EXPECT_EQ(largest[i], std::max(a[i], b[i])) << i;
        EXPECT_EQ(smallest[i], std::min(a[i], b[i])) << i;
    }
}

TEST(VectorMath, MaxAndMinAreOneOfTheTwo) {
    check_extrema<float>();
    check_extrema<double>();
}

}  // namespace
}  // namespace matgrad::test
