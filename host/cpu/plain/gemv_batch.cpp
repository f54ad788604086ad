#include "cpu/plain/gemv_batch.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gemv_batch.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

template <typename T>
struct Gemv {
    const T* a;
    std::int64_t rows, cols, a_row;
    const T* x;
    T alpha, beta;
    T* y;
    std::int64_t ahead;  ///< numbers to what is read next time

    /// A vector of a; the same of the next tile comes into the second-level cache.
    HWY_INLINE LaneVector<T> read(const T* from) const {
        bring(from);
        return hn::LoadU(Lane<T>(), from);
    }
    HWY_INLINE LaneVector<T> read(hn::Mask<Lane<T>> mask, const T* from) const {
        bring(from);
        return hn::MaskedLoad(mask, Lane<T>(), from);
    }
    HWY_INLINE void bring(const T* from) const { __builtin_prefetch(from + ahead, 0, 2); }

    /// alpha * products + beta * y to `count` entries from y[i] on.
    HWY_INLINE void give(LaneVector<T> products, std::int64_t i, std::int64_t count) const {
        const Lane<T> d;
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(count));
        auto result = hn::Mul(hn::Set(d, alpha), products);
        if (beta != T{0}) {
            result = hn::MulAdd(hn::Set(d, beta), hn::MaskedLoad(mask, d, y + i), result);
        }
        hn::BlendedStore(result, mask, d, y + i);
    }
};

/// A vector's worth of rows at a time: their sums become one vector by a tree of additions.
template <typename T>
HWY_INLINE void dot_rows(const Gemv<T>& g) {
    const Lane<T> d;
    constexpr auto kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const std::int64_t whole = g.cols / kSize * kSize;
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(g.cols - whole));
    for (std::int64_t r = 0; r < g.rows; r += kSize) {
        const std::int64_t count = std::min(kSize, g.rows - r);
        LaneVector<T> sum[kSize];
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kSize; ++i) {
            sum[i] = hn::Zero(d);
        }
        const T* row = g.a + r * g.a_row;
        for (std::int64_t c = 0; c < whole; c += kSize) {
            const auto x = hn::LoadU(d, g.x + c);
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                if (i < count) {
                    sum[i] = hn::MulAdd(g.read(row + i * g.a_row + c), x, sum[i]);
                }
            }
        }
        if (whole < g.cols) {
            const auto x = hn::MaskedLoad(rest, d, g.x + whole);
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                if (i < count) {
                    sum[i] =
                        hn::MulAdd(hn::MaskedLoad(rest, d, row + i * g.a_row + whole), x, sum[i]);
                }
            }
        }
        g.give(sums_of_square<T>(sum), r, count);
    }
}

/// Rows times one number each, in four chains that do not wait for each other.
template <typename T>
HWY_INLINE void add_rows(const Gemv<T>& g) {
    const Lane<T> d;
    constexpr auto kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    constexpr int kChains = 4;
    for (std::int64_t c = 0; c < g.cols; c += kSize) {
        const std::int64_t count = std::min(kSize, g.cols - c);
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(count));
        LaneVector<T> sum[kChains];
#pragma GCC unroll 4
        for (int i = 0; i < kChains; ++i) {
            sum[i] = hn::Zero(d);
        }
        const T* row = g.a + c;
        std::int64_t r = 0;
        for (; r + kChains <= g.rows; r += kChains) {
#pragma GCC unroll 4
            for (int i = 0; i < kChains; ++i) {
                sum[i] =
                    hn::MulAdd(hn::Set(d, g.x[r + i]), g.read(mask, row + i * g.a_row), sum[i]);
            }
            row += kChains * g.a_row;
        }
        for (; r < g.rows; ++r) {
            sum[0] = hn::MulAdd(hn::Set(d, g.x[r]), g.read(mask, row), sum[0]);
            row += g.a_row;
        }
        g.give(hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3])), c, count);
    }
}

template <typename T>
void gemv_typed(const GemvBatch& call, std::int64_t problems) {
    Gemv<T> g{};
    g.rows = call.a.rows;
    g.cols = call.a.cols;
    g.a_row = call.a.row_stride;
    g.alpha = static_cast<T>(call.alpha);
    g.beta = static_cast<T>(call.beta);
    g.ahead = call.a_ahead ? problems * call.a_step / static_cast<std::int64_t>(sizeof(T)) : 0;
    for (std::int64_t p = 0; p < problems; ++p) {
        g.a = reinterpret_cast<const T*>(call.a.data + p * call.a_step);
        g.x = reinterpret_cast<const T*>(call.x + p * call.x_step);
        g.y = reinterpret_cast<T*>(call.y + p * call.y_step);
        if (call.transposed) {
            add_rows(g);
        } else {
            dot_rows(g);
        }
    }
}

void gemv_batch_all(const GemvBatch& call, std::int64_t problems) {
    with_type(call.a.type, [&](auto zero) { gemv_typed<decltype(zero)>(call, problems); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(gemv_batch_all);

bool is_batch_gemv(std::int64_t rows, std::int64_t cols, ScalarType type) {
    constexpr std::int64_t kMatrixBytes = 32 << 10;
    return rows * cols * size_of(type) <= kMatrixBytes;
}
void gemv_batch(const GemvBatch& call, std::int64_t problems) {
    HWY_DYNAMIC_DISPATCH(gemv_batch_all)(call, problems);
}

}  // namespace matgrad::detail
#endif
