#pragma once
/// \file Checks a function of apply_strip against long double, where it is hard.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "cpu/vector_math.hpp"

namespace matgrad::test {

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
           const std::function<long double(long double)>& exact,
           std::vector<T> in = hard_values<T>()) {
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

inline void check_both(MapOp op, double number, long double bound,
                       const std::function<long double(long double)>& exact) {
    {
        SCOPED_TRACE("float");
        check<float>(op, number, bound, exact);
    }
    SCOPED_TRACE("double");
    check<double>(op, number, bound, exact);
}

}  // namespace matgrad::test
