#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/small_gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/plain/small_gemm.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3
inline constexpr int kStripRows = 8;
#else
inline constexpr int kStripRows = 6;
#endif

/// A matrix as a pointer and strides in entries.
template <typename T>
struct Entries {
    T* data;
    std::int64_t row_stride, col_stride;

    explicit Entries(const View& v)
        : data(reinterpret_cast<T*>(v.data)), row_stride(v.row_stride), col_stride(v.col_stride) {}
    HWY_INLINE T* at(std::int64_t r, std::int64_t c) const {
        return data + r * row_stride + c * col_stride;
    }
};

/// A product of `inner` terms.
template <typename T>
struct Product {
    Entries<T> a, b, c;
    std::int64_t inner;
    T alpha, beta;
};

template <typename T, int kVectors>
HWY_INLINE void store_strip(const Product<T>& p, T* to, const LaneVector<T>* sum,
                            hn::Mask<Lane<T>> mask, bool whole) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
        const bool full = v + 1 < kVectors || whole;
        auto value = p.alpha == T{1} ? sum[v] : hn::Mul(hn::Set(d, p.alpha), sum[v]);
        if (p.beta != T{0}) {
            const auto old =
                full ? hn::LoadU(d, to + v * lanes) : hn::MaskedLoad(mask, d, to + v * lanes);
            value = hn::MulAdd(hn::Set(d, p.beta), old, value);
        }
        if (full) {
            hn::StoreU(value, d, to + v * lanes);
        } else {
            hn::BlendedStore(value, mask, d, to + v * lanes);
        }
    }
}

/// kStripRows rows of the result by one or two vectors of columns, the last of them perhaps not
/// full. Each entry of a is spread over a vector; rows past the edge repeat the last one and are
/// not stored. Not inlined: its inner loop needs all registers.
template <typename T, int kVectors, bool kWhole>
HWY_NOINLINE void multiply_strip(const Product<T>& p, std::int64_t row, int rows, std::int64_t col,
                                 std::int64_t last) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(last));
    const T* left[kStripRows];
#pragma GCC unroll 16
    for (int i = 0; i < kStripRows; ++i) {
        left[i] = p.a.data + (row + std::min(i, rows - 1)) * p.a.row_stride;
    }
    LaneVector<T> sum[kStripRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kStripRows; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
            sum[i][v] = hn::Zero(d);
        }
    }
    const T* right = p.b.data + col;
    std::int64_t at = 0;
    for (std::int64_t k = 0; k < p.inner; ++k) {
        LaneVector<T> row_of_b[kVectors];
        if constexpr (kVectors == 2) {
            row_of_b[0] = hn::LoadU(d, right);
        }
        row_of_b[kVectors - 1] = kWhole ? hn::LoadU(d, right + (kVectors - 1) * lanes)
                                        : hn::MaskedLoad(mask, d, right + (kVectors - 1) * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < kStripRows; ++i) {
            const auto spread = hn::Set(d, left[i][at]);
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) {
                sum[i][v] = hn::MulAdd(spread, row_of_b[v], sum[i][v]);
            }
        }
        at += p.a.col_stride;
        right += p.b.row_stride;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kStripRows; ++i) {
        if (i < rows) {
            store_strip<T, kVectors>(p, p.c.data + (row + i) * p.c.row_stride + col, sum[i], mask,
                                     kWhole);
        }
    }
}

template <typename T, int kVectors>
HWY_INLINE void multiply_columns(const Product<T>& p, std::int64_t m, std::int64_t col,
                                 std::int64_t last) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Lane<T>()));
    for (std::int64_t row = 0; row < m; row += kStripRows) {
        const int rows = static_cast<int>(std::min<std::int64_t>(kStripRows, m - row));
        if (last == lanes) {
            multiply_strip<T, kVectors, true>(p, row, rows, col, last);
        } else {
            multiply_strip<T, kVectors, false>(p, row, rows, col, last);
        }
    }
}

template <typename T>
void multiply_typed(double alpha, const View& a, const View& b, double beta, const View& c) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Lane<T>()));
    const Product<T> p{Entries<T>(a), Entries<T>(b),         Entries<T>(c),
                       a.cols,        static_cast<T>(alpha), static_cast<T>(beta)};
    std::int64_t col = 0;
    for (; c.cols - col > lanes; col += 2 * lanes) {
        multiply_columns<T, 2>(p, c.rows, col, std::min(lanes, c.cols - col - lanes));
    }
    if (col < c.cols) {
        multiply_columns<T, 1>(p, c.rows, col, c.cols - col);
    }
}

void small_gemm_all(double alpha, const View& a, const View& b, double beta, const View& c) {
    if (c.type == ScalarType::float32) {
        multiply_typed<float>(alpha, a, b, beta, c);
    } else {
        multiply_typed<double>(alpha, a, b, beta, c);
    }
}

template <typename T>
void transpose_typed(const View& from, const View& to) {
    const Lane<T> d;
    constexpr std::int64_t kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const auto* in = reinterpret_cast<const T*>(from.data);
    auto* out = reinterpret_cast<T*>(to.data);
    const std::int64_t rows = to.rows / kSize * kSize;
    const std::int64_t cols = to.cols / kSize * kSize;
    for (std::int64_t r = 0; r < rows; r += kSize) {
        for (std::int64_t c = 0; c < cols; c += kSize) {
            LaneVector<T> v[kSize];
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                v[i] = hn::LoadU(d, in + (c + i) * from.col_stride + r);
            }
            transpose_square<T>(v);
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                hn::StoreU(v[i], d, out + (r + i) * to.row_stride + c);
            }
        }
    }
    for (std::int64_t r = 0; r < to.rows; ++r) {
        for (std::int64_t c = r < rows ? cols : 0; c < to.cols; ++c) {
            out[r * to.row_stride + c] = in[c * from.col_stride + r];
        }
    }
}

void transpose_all(const View& from, const View& to) {
    with_type(to.type, [&](auto zero) { transpose_typed<decltype(zero)>(from, to); });
}

void stream_all(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to) {
    with_type(type, [&](auto zero) {
        using T = decltype(zero);
        stream_out<T>(reinterpret_cast<const T*>(from),
                      bytes / static_cast<std::int64_t>(sizeof(T)), reinterpret_cast<T*>(to));
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(small_gemm_all);
HWY_EXPORT(transpose_all);
HWY_EXPORT(stream_all);

bool is_small_gemm(std::int64_t m, std::int64_t n, std::int64_t k) {
    constexpr std::int64_t kCached = 8192;  // entries of b, read again for every few rows
    return m > 1 && n > 1 && n * k <= kCached && m * n * k <= 64 * kCached;
}
void small_gemm(double alpha, const View& a, const View& b, double beta, const View& c) {
    HWY_DYNAMIC_DISPATCH(small_gemm_all)(alpha, a, b, beta, c);
}
void transpose_copy(const View& from, const View& to) {
    HWY_DYNAMIC_DISPATCH(transpose_all)(from, to);
}
void stream_copy(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(stream_all)(from, bytes, type, to);
}
}  // namespace matgrad::detail
#endif
