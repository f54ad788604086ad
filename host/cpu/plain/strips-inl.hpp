/// \file Strips: some rows of a product, whose sums stay in registers over the whole inner dimension.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_STRIPS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_STRIPS_INL
#undef MATGRAD_STRIPS_INL
#else
#define MATGRAD_STRIPS_INL
#endif

#include <hwy/cache_control.h>

#include <array>
#include <cstdint>
#include <utility>

#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

// Sums, a row of b and one entry of a share the registers: 32 of them or 16.
#if HWY_TARGET == HWY_AVX3
inline constexpr int kStripRows = 12;
inline constexpr int kNarrowStripRows = 16;
#else
inline constexpr int kStripRows = 6;
inline constexpr int kNarrowStripRows = 8;
#endif

/// Rows of a strip whose panel has one vector, or two.
template <int kVectors>
inline constexpr int kRowsOf = kVectors == 1 ? kNarrowStripRows : kStripRows;

/// One strip of a times one panel of b, computed in T, stored as To.
template <typename T, typename To = T>
struct ProductStrip {
    const T* a;
    std::int64_t a_row, a_col;  ///< strides in entries
    const T* b;
    std::int64_t b_row;
    std::int64_t inner;
    To* c;
    std::int64_t c_row;
    T alpha, beta;
    std::int64_t last;  ///< columns in the last vector of the panel
    bool stream =
        false;  ///< c is written past the caches: each of its vectors is whole and aligned
};

template <typename T, bool kWhole>
HWY_INLINE LaneVector<T> load_part(hn::Mask<Lane<T>> mask, const T* from) {
    const Lane<T> d;
    return kWhole ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from);
}
template <typename T, typename To, bool kWhole>
HWY_INLINE LaneVector<T> load_part_as(std::int64_t count, const To* from) {
    if constexpr (std::is_same_v<T, To>) {
        return load_part<T, kWhole>(hn::FirstN(Lane<T>(), static_cast<std::size_t>(count)), from);
    } else {
        const hn::Rebind<To, Lane<T>> narrow;
        const auto mask = hn::FirstN(narrow, static_cast<std::size_t>(count));
        return hn::PromoteTo(Lane<T>(),
                             kWhole ? hn::LoadU(narrow, from) : hn::MaskedLoad(mask, narrow, from));
    }
}
template <typename T, typename To, bool kWhole>
HWY_INLINE void store_part(LaneVector<T> value, std::int64_t count, To* to, bool stream) {
    const hn::Rebind<To, Lane<T>> d;
    const auto store = [&](auto v) HWY_ATTR {
        if (kWhole && stream) {
            hn::Stream(v, d, to);
        } else if (kWhole) {
            hn::StoreU(v, d, to);
        } else {
            hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
        }
    };
    if constexpr (std::is_same_v<T, To>) {
        store(value);
    } else {
        store(hn::DemoteTo(d, value));
    }
}

/// Not inlined: its inner loop needs all registers. Rows are addressed three to a pointer, by once
/// and twice the stride.
template <typename T, typename To, int kRows, int kVectors, bool kWhole>
HWY_NOINLINE void multiply_strip(const ProductStrip<T, To>& s) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    constexpr int kPointers = (kRows + 2) / 3;
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(s.last));
    const std::int64_t a_row = s.a_row;
    const std::int64_t a_col = s.a_col;
    const std::int64_t b_row = s.b_row;
    const T* a[kPointers];
#pragma GCC unroll 6
    for (int i = 0; i < kPointers; ++i) {
        a[i] = s.a + 3 * i * a_row;
    }
    LaneVector<T> sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
            sum[i][v] = hn::Zero(d);
        }
    }
    const T* b = s.b;
    for (std::int64_t k = s.inner; k > 0; --k) {
        LaneVector<T> right[kVectors];
        if constexpr (kVectors == 2) {
            right[0] = hn::LoadU(d, b);
        }
        right[kVectors - 1] = load_part<T, kWhole>(mask, b + (kVectors - 1) * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
            const auto left = hn::Set(d, a[i / 3][i % 3 * a_row]);
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) {
                sum[i][v] = hn::MulAdd(left, right[v], sum[i][v]);
            }
        }
#pragma GCC unroll 6
        for (int i = 0; i < kPointers; ++i) {
            a[i] += a_col;
        }
        b += b_row;
    }
    To* const c = s.c;
    const std::int64_t c_row = s.c_row;
    const std::int64_t last = s.last;
    const bool stream = s.stream;
    if (s.beta != T{0}) {
        const auto alpha = hn::Set(d, s.alpha);
        const auto beta = hn::Set(d, s.beta);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
            if constexpr (kVectors == 2) {
                sum[i][0] = hn::MulAdd(beta, load_part_as<T, To, true>(lanes, c + i * c_row),
                                       hn::Mul(alpha, sum[i][0]));
            }
            const auto added =
                load_part_as<T, To, kWhole>(last, c + i * c_row + (kVectors - 1) * lanes);
            sum[i][kVectors - 1] = hn::MulAdd(beta, added, hn::Mul(alpha, sum[i][kVectors - 1]));
        }
    } else if (s.alpha != T{1}) {
        const auto alpha = hn::Set(d, s.alpha);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) {
                sum[i][v] = hn::Mul(alpha, sum[i][v]);
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
        if constexpr (kVectors == 2) {
            store_part<T, To, true>(sum[i][0], lanes, c + i * c_row, stream);
        }
        store_part<T, To, kWhole>(sum[i][kVectors - 1], last,
                                  c + i * c_row + (kVectors - 1) * lanes, stream);
    }
}

template <typename T, typename To>
using StripKernel = void (*)(const ProductStrip<T, To>&);

template <typename T, typename To, int kVectors, bool kWhole, int... kIndex>
constexpr std::array<StripKernel<T, To>, kRowsOf<kVectors>> kernels_of(
    std::integer_sequence<int, kIndex...> /*rows*/) {
    return {multiply_strip<T, To, kIndex + 1, kVectors, kWhole>...};
}

/// By rows less one.
template <typename T, typename To, int kVectors, bool kWhole>
inline constexpr std::array<StripKernel<T, To>, kRowsOf<kVectors>> kKernels =
    kernels_of<T, To, kVectors, kWhole>(std::make_integer_sequence<int, kRowsOf<kVectors>>());

/// The kernels for a panel of `width` columns, at most two vectors.
template <typename T, typename To = T>
HWY_INLINE const StripKernel<T, To>* strip_kernels(std::int64_t width) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    if (width > lanes) {
        return width == 2 * lanes ? kKernels<T, To, 2, true>.data()
                                  : kKernels<T, To, 2, false>.data();
    }
    return width == lanes ? kKernels<T, To, 1, true>.data() : kKernels<T, To, 1, false>.data();
}

/// Rows shared out evenly among the strips that they need.
struct Strips {
    std::uint32_t count, longer, rows;  ///< the first `longer` have rows + 1, the others `rows`

    explicit Strips(std::int64_t m, int most = kStripRows)
        : count((static_cast<std::uint32_t>(m) + static_cast<std::uint32_t>(most) - 1) /
                static_cast<std::uint32_t>(most)),
          longer(static_cast<std::uint32_t>(m) % count),
          rows(static_cast<std::uint32_t>(m) / count) {}
    [[nodiscard]] std::int64_t length(std::uint32_t i) const { return rows + (i < longer ? 1 : 0); }
};

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
