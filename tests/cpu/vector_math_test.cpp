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

#include "strip_check.hpp"

namespace matgrad::test {
namespace {

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
