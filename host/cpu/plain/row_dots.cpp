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

/// As many rows as a vector has lanes: their sums, transposed, add up to one vector. Of fewer rows the
/// last one is repeated, so that all take the same way.
template <typename T, bool kWhole>
HWY_NOINLINE LaneVector<T> dots_of_square(const T* first, std::int64_t ld, std::int64_t rows,
                                          std::int64_t cols, const T* x) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    LaneVector<T> sum[lanes];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < lanes; ++i) {
        sum[i] = hn::Zero(d);
    }
    const auto row = [&](std::int64_t i)
                         HWY_ATTR { return first + (kWhole ? i : std::min(i, rows - 1)) * ld; };
    std::int64_t c = 0;
    for (; c + lanes <= cols; c += lanes) {
        const auto right = hn::LoadU(d, x + c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            sum[i] = hn::MulAdd(hn::LoadU(d, row(i) + c), right, sum[i]);
        }
    }
    if (c < cols) {
        const auto right = load_first<T>(x + c, cols - c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            sum[i] = hn::MulAdd(load_first<T>(row(i) + c, cols - c), right, sum[i]);
        }
    }
    transpose_square<T>(sum);
#pragma GCC unroll 4
    for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (std::int64_t i = 0; i < half; ++i) {
            sum[i] = hn::Add(sum[i], sum[i + half]);
        }
    }
    return sum[0];
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
        auto sum = rows == lanes ? dots_of_square<T, true>(first, a.row_stride, rows, a.cols, x)
                                 : dots_of_square<T, false>(first, a.row_stride, rows, a.cols, x);
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

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
namespace {
HWY_EXPORT(row_dots_all);
}  // namespace

void row_dots(double alpha, const View& a, const View& x, double beta, const View& y) {
    HWY_DYNAMIC_DISPATCH(row_dots_all)(alpha, a, x, beta, y);
}
}  // namespace matgrad::detail
#endif
