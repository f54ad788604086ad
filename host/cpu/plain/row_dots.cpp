#include "cpu/plain/row_dots.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/row_dots.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/strip-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {

/// As many rows as a vector has lanes. Of fewer rows the last one is repeated, so that all take the same
/// way.
template <typename T, bool kWhole, typename A, typename B>
HWY_NOINLINE LaneVector<T> dots_of_square(const A* a, std::int64_t a_step, const B* b,
                                          std::int64_t b_step, std::int64_t rows,
                                          std::int64_t cols) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    LaneVector<T> sum[lanes];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < lanes; ++i) {
        sum[i] = hn::Zero(d);
    }
    const auto row = [&](std::int64_t i) HWY_ATTR { return kWhole ? i : std::min(i, rows - 1); };
    std::int64_t c = 0;
    for (; c + lanes <= cols; c += lanes) {
        const auto first = load_strip<T>(b + c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            const auto right = b_step == 0 ? first : load_strip<T>(b + row(i) * b_step + c);
            sum[i] = hn::MulAdd(load_strip<T>(a + row(i) * a_step + c), right, sum[i]);
        }
    }
    if (c < cols) {
        const auto first = load_first<T>(b + c, cols - c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            const auto right =
                b_step == 0 ? first : load_first<T>(b + row(i) * b_step + c, cols - c);
            sum[i] = hn::MulAdd(load_first<T>(a + row(i) * a_step + c, cols - c), right, sum[i]);
        }
    }
    return sums_of_square<T>(sum);
}

template <typename T>
void row_dots_typed(double alpha, const View& a, const T* x, double beta, const View& y) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const auto* from = reinterpret_cast<const T*>(a.data);
    auto* to = reinterpret_cast<T*>(y.data);
    const std::int64_t stride = y.row_stride;
    const auto scale = hn::Set(d, static_cast<T>(alpha));
    HWY_ALIGN T numbers[lanes];
    for (std::int64_t r = 0; r < a.rows; r += lanes) {
        const std::int64_t rows = std::min(lanes, a.rows - r);
        const T* first = from + r * a.row_stride;
        auto sum = rows == lanes
                       ? dots_of_square<T, true>(first, a.row_stride, x, 0, rows, a.cols)
                       : dots_of_square<T, false>(first, a.row_stride, x, 0, rows, a.cols);
        sum = hn::Mul(scale, sum);
        if (beta == 0 && stride == 1 && rows == lanes) {
            hn::StoreU(sum, d, to + r);
            continue;
        }
        if (beta != 0) {
            for (std::int64_t i = 0; i < lanes; ++i) {
                numbers[i] = i < rows ? to[(r + i) * stride] : T{0};
            }
            sum = hn::MulAdd(hn::Set(d, static_cast<T>(beta)), hn::Load(d, numbers), sum);
        }
        hn::Store(sum, d, numbers);
        for (std::int64_t i = 0; i < rows; ++i) {
            to[(r + i) * stride] = numbers[i];
        }
    }
}

void row_dots_all(double alpha, const View& a, const View& x, double beta, const View& y) {
    with_type(a.type, [&](auto zero) {
        using T = decltype(zero);
        row_dots_typed<T>(alpha, a, reinterpret_cast<const T*>(x.data), beta, y);
    });
}

template <typename T, typename A, typename B>
void row_products_typed(double alpha, const View& a, const View& b, const View& y) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const auto* left = reinterpret_cast<const A*>(a.data);
    const auto* right = reinterpret_cast<const B*>(b.data);
    const auto scale = hn::Set(d, static_cast<T>(alpha));
    HWY_ALIGN T numbers[lanes];
    for (std::int64_t r = 0; r < a.rows; r += lanes) {
        const std::int64_t rows = std::min(lanes, a.rows - r);
        const A* of_a = left + r * a.row_stride;
        const B* of_b = right + r * b.row_stride;
        const auto sum =
            rows == lanes
                ? dots_of_square<T, true>(of_a, a.row_stride, of_b, b.row_stride, rows, a.cols)
                : dots_of_square<T, false>(of_a, a.row_stride, of_b, b.row_stride, rows, a.cols);
        const bool direct = rows == lanes && y.row_stride == 1 && size_of(y.type) == sizeof(T);
        if (direct) {
            hn::StoreU(hn::Mul(scale, sum), d, reinterpret_cast<T*>(y.data) + r);
            continue;
        }
        hn::Store(hn::Mul(scale, sum), d, numbers);
        with_type(y.type, [&](auto zero) {
            auto* to = reinterpret_cast<decltype(zero)*>(y.at(r, 0));
            for (std::int64_t i = 0; i < rows; ++i) {
                to[i * y.row_stride] = static_cast<decltype(zero)>(numbers[i]);
            }
        });
    }
}

void row_products_all(double alpha, const View& a, const View& b, ScalarType type, const View& y) {
    if (type == ScalarType::float32) {
        return row_products_typed<float, float, float>(alpha, a, b, y);
    }
    with_type(a.type, [&](auto left) {
        with_type(b.type, [&](auto right) {
            row_products_typed<double, decltype(left), decltype(right)>(alpha, a, b, y);
        });
    });
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
namespace {
HWY_EXPORT(row_dots_all);
HWY_EXPORT(row_products_all);
}  // namespace

void row_dots(double alpha, const View& a, const View& x, double beta, const View& y) {
    HWY_DYNAMIC_DISPATCH(row_dots_all)(alpha, a, x, beta, y);
}
void row_products(double alpha, const View& a, const View& b, ScalarType type, const View& y) {
    HWY_DYNAMIC_DISPATCH(row_products_all)(alpha, a, b, type, y);
}
}  // namespace matgrad::detail
#endif
