#include "cpu/plain/gemm_kernels.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gemm_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

// Sums, a row of b and one entry of a share the registers: 32 of them or 16.
#if HWY_TARGET == HWY_AVX3
inline constexpr int kStripRows = 12;
#else
inline constexpr int kStripRows = 6;
#endif

/// One strip of a times one panel of b.
template <typename T>
struct ProductStrip {
    const T* a;
    std::int64_t a_row, a_col;  ///< strides in entries
    const T* b;
    std::int64_t b_row;
    std::int64_t inner;
    T* c;
    std::int64_t c_row;
    T alpha, beta;
    std::int64_t last;  ///< columns in the last vector of the panel
};

template <typename T, bool kWhole>
HWY_INLINE LaneVector<T> load_part(hn::Mask<Lane<T>> mask, const T* from) {
    const Lane<T> d;
    return kWhole ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from);
}
template <typename T, bool kWhole>
HWY_INLINE void store_part(LaneVector<T> value, hn::Mask<Lane<T>> mask, T* to) {
    const Lane<T> d;
    if constexpr (kWhole) {
        hn::StoreU(value, d, to);
    } else {
        hn::BlendedStore(value, mask, d, to);
    }
}

/// Not inlined: its inner loop needs all registers. Rows are addressed three to a pointer, by once
/// and twice the stride.
template <typename T, int kRows, int kVectors, bool kWhole>
HWY_NOINLINE void multiply_strip(const ProductStrip<T>& s) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    constexpr int kPointers = (kRows + 2) / 3;
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(s.last));
    const std::int64_t a_row = s.a_row;
    const std::int64_t a_col = s.a_col;
    const std::int64_t b_row = s.b_row;
    const T* a[kPointers];
#pragma GCC unroll 4
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
#pragma GCC unroll 4
        for (int i = 0; i < kPointers; ++i) {
            a[i] += a_col;
        }
        b += b_row;
    }
    T* const c = s.c;
    const std::int64_t c_row = s.c_row;
    if (s.beta != T{0}) {
        const auto alpha = hn::Set(d, s.alpha);
        const auto beta = hn::Set(d, s.beta);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
            if constexpr (kVectors == 2) {
                sum[i][0] =
                    hn::MulAdd(beta, hn::LoadU(d, c + i * c_row), hn::Mul(alpha, sum[i][0]));
            }
            sum[i][kVectors - 1] =
                hn::MulAdd(beta, load_part<T, kWhole>(mask, c + i * c_row + (kVectors - 1) * lanes),
                           hn::Mul(alpha, sum[i][kVectors - 1]));
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
            hn::StoreU(sum[i][0], d, c + i * c_row);
        }
        store_part<T, kWhole>(sum[i][kVectors - 1], mask, c + i * c_row + (kVectors - 1) * lanes);
    }
}

template <typename T>
using StripKernel = void (*)(const ProductStrip<T>&);

template <typename T, int kVectors, bool kWhole, int... kIndex>
constexpr std::array<StripKernel<T>, kStripRows> kernels_of(
    std::integer_sequence<int, kIndex...> /*rows*/) {
    return {multiply_strip<T, kIndex + 1, kVectors, kWhole>...};
}

/// By rows less one.
template <typename T, int kVectors, bool kWhole>
inline constexpr std::array<StripKernel<T>, kStripRows> kKernels =
    kernels_of<T, kVectors, kWhole>(std::make_integer_sequence<int, kStripRows>());

/// Rows shared out evenly among the strips that they need.
struct Strips {
    std::uint32_t count, longer, rows;  ///< the first `longer` have rows + 1, the others `rows`

    explicit Strips(std::int64_t m)
        : count((static_cast<std::uint32_t>(m) + kStripRows - 1) / kStripRows),
          longer(static_cast<std::uint32_t>(m) % count),
          rows(static_cast<std::uint32_t>(m) / count) {}
    [[nodiscard]] std::int64_t length(std::uint32_t i) const { return rows + (i < longer ? 1 : 0); }
};

template <typename T>
void multiply_block(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                    const View& c) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const Strips strips(c.rows);
    const std::int64_t inner = a.view.cols;
    ProductStrip<T> s{};
    s.inner = inner;
    s.c_row = c.row_stride;
    s.alpha = static_cast<T>(alpha);
    s.beta = static_cast<T>(beta);
    for (std::int64_t col = 0; col < c.cols; col += 2 * lanes) {
        const std::int64_t width = std::min(2 * lanes, c.cols - col);
        s.b = reinterpret_cast<const T*>(b.view.data) + (b.packed ? col * inner : col);
        s.b_row = b.packed ? width : b.view.row_stride;
        s.last = width > lanes ? width - lanes : width;
        const auto& kernels = width > lanes
                                  ? s.last == lanes ? kKernels<T, 2, true> : kKernels<T, 2, false>
                              : s.last == lanes ? kKernels<T, 1, true>
                                                : kKernels<T, 1, false>;
        std::int64_t row = 0;
        for (std::uint32_t i = 0; i < strips.count; ++i) {
            const std::int64_t rows = strips.length(i);
            s.a = reinterpret_cast<const T*>(a.view.data) +
                  row * (a.packed ? inner : a.view.row_stride);
            s.a_row = a.packed ? 1 : a.view.row_stride;
            s.a_col = a.packed ? rows : a.view.col_stride;
            s.c = reinterpret_cast<T*>(c.data) + row * c.row_stride + col;
            kernels[static_cast<std::size_t>(rows - 1)](s);
            row += rows;
        }
    }
}

void gemm_block_all(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                    const View& c) {
    with_type(c.type, [&](auto zero) { multiply_block<decltype(zero)>(alpha, a, b, beta, c); });
}

GemmShape gemm_shape_all(ScalarType type) {
    return with_type(type, [](auto zero) -> GemmShape {
        return {kStripRows, 2 * static_cast<std::int64_t>(hn::MaxLanes(Lane<decltype(zero)>()))};
    });
}

/// Some rows of a matrix that has unit row stride, to [column][row].
template <typename T>
HWY_INLINE void pack_strip(const T* from, std::int64_t col_stride, std::int64_t rows,
                           std::int64_t cols, T* to) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t c = 0; c < cols; ++c) {
        for (std::int64_t r = 0; r < rows; r += lanes) {
            const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::min(lanes, rows - r)));
            hn::BlendedStore(hn::MaskedLoad(mask, d, from + c * col_stride + r), mask, d,
                             to + c * rows + r);
        }
    }
}

template <typename T>
void pack_strips_typed(const View& from, T* to) {
    const Strips strips(from.rows);
    std::int64_t row = 0;
    for (std::uint32_t i = 0; i < strips.count; ++i) {
        const std::int64_t rows = strips.length(i);
        const View strip = block(from, row, 0, rows, from.cols);
        if (from.row_stride == 1) {
            pack_strip<T>(reinterpret_cast<const T*>(strip.data), from.col_stride, rows, from.cols,
                          to);
        } else {
            for (std::int64_t c = 0; c < from.cols; ++c) {
                for (std::int64_t r = 0; r < rows; ++r) {
                    to[c * rows + r] = *reinterpret_cast<const T*>(strip.at(r, c));
                }
            }
        }
        to += rows * from.cols;
        row += rows;
    }
}

void pack_strips_all(const View& from, std::byte* to) {
    with_type(from.type,
              [&](auto zero) { pack_strips_typed(from, reinterpret_cast<decltype(zero)*>(to)); });
}

template <typename T>
void pack_panels_typed(const View& from, T* to) {
    const std::int64_t most = gemm_shape_all(from.type).cols;
    for (std::int64_t col = 0; col < from.cols; col += most) {
        const std::int64_t width = std::min(most, from.cols - col);
        const View panel = block(from, 0, col, from.rows, width);
        const View target =
            row_major(reinterpret_cast<std::byte*>(to), from.type, from.rows, width, 1);
        if (from.row_stride == 1) {
            transpose_matrix<T>(panel, target);
        } else {
            copy_rows<T>(panel, target);
        }
        to += from.rows * width;
    }
}

void pack_panels_all(const View& from, std::byte* to) {
    with_type(from.type,
              [&](auto zero) { pack_panels_typed(from, reinterpret_cast<decltype(zero)*>(to)); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(gemm_shape_all);
HWY_EXPORT(gemm_block_all);
HWY_EXPORT(pack_strips_all);
HWY_EXPORT(pack_panels_all);

GemmShape gemm_shape(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(gemm_shape_all)(type);
}
void gemm_block(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                const View& c) {
    HWY_DYNAMIC_DISPATCH(gemm_block_all)(alpha, a, b, beta, c);
}
void pack_strips(const View& from, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(pack_strips_all)(from, to);
}
void pack_panels(const View& from, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(pack_panels_all)(from, to);
}
}  // namespace matgrad::detail
#endif
