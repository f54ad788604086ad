#include "cpu/plain/gemv.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gemv.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Rows of neighbours in memory, `ld` apart.
template <typename T>
struct MatrixRows {
    const T* data;
    std::int64_t ld, rows, cols;
};

/// The sum of a row times x, in four sums side by side.
template <typename T>
HWY_INLINE T dot(const T* row, std::int64_t cols, const T* x) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    LaneVector<T> sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::int64_t c = 0;
    for (; c + 4 * lanes <= cols; c += 4 * lanes) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const std::int64_t at = c + i * lanes;
            sum[i] = hn::MulAdd(hn::LoadU(d, row + at), hn::LoadU(d, x + at), sum[i]);
        }
    }
    for (; c + lanes <= cols; c += lanes) {
        sum[0] = hn::MulAdd(hn::LoadU(d, row + c), hn::LoadU(d, x + c), sum[0]);
    }
    if (c < cols) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(cols - c));
        sum[1] =
            hn::MulAdd(hn::MaskedLoad(mask, d, row + c), hn::MaskedLoad(mask, d, x + c), sum[1]);
    }
    return hn::GetLane(
        hn::SumOfLanes(d, hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]))));
}

/// As many rows as a vector has lanes: their sums, transposed, add up to one vector. So many streams
/// are more than the processor follows by itself, so the next rows are asked for.
template <typename T>
HWY_NOINLINE void dot_square(const MatrixRows<T>& a, std::int64_t row, const T* x, T* sums) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    LaneVector<T> sum[lanes];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < lanes; ++i) {
        sum[i] = hn::Zero(d);
    }
    const T* first = a.data + row * a.ld;
    std::int64_t c = 0;
    for (; c + lanes <= a.cols; c += lanes) {
        const auto right = hn::LoadU(d, x + c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            hwy::Prefetch(first + (lanes + i) * a.ld + c);
            sum[i] = hn::MulAdd(hn::LoadU(d, first + i * a.ld + c), right, sum[i]);
        }
    }
    if (c < a.cols) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(a.cols - c));
        const auto right = hn::MaskedLoad(mask, d, x + c);
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < lanes; ++i) {
            sum[i] = hn::MulAdd(hn::MaskedLoad(mask, d, first + i * a.ld + c), right, sum[i]);
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
    hn::StoreU(sum[0], d, sums);
}

template <typename T>
void dots_typed(const MatrixRows<T>& a, const T* x, T* sums) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    std::int64_t row = 0;
    for (; row + lanes <= a.rows; row += lanes) {
        dot_square<T>(a, row, x, sums + row);
    }
    for (; row < a.rows; ++row) {
        sums[row] = dot(a.data + row * a.ld, a.cols, x);
    }
}

/// Columns that fit a few vectors: their sums stay in registers over all rows, four rows side by
/// side.
template <typename T, int kVectors>
HWY_NOINLINE void sum_narrow(const MatrixRows<T>& a, std::int64_t col, std::int64_t last,
                             const T* x, T* sums) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(last));
    LaneVector<T> sum[4][kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            sum[i][v] = hn::Zero(d);
        }
    }
    const auto add_row = [&](std::int64_t row, LaneVector<T>* to) HWY_ATTR {
        const T* from = a.data + row * a.ld + col;
        const auto factor = hn::Set(d, x[row]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            const auto entries = v + 1 < kVectors ? hn::LoadU(d, from + v * lanes)
                                                  : hn::MaskedLoad(mask, d, from + v * lanes);
            to[v] = hn::MulAdd(factor, entries, to[v]);
        }
    };
    std::int64_t row = 0;
    for (; row + 4 <= a.rows; row += 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            add_row(row + i, sum[i]);
        }
    }
    for (; row < a.rows; ++row) {
        add_row(row, sum[0]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
        const auto total = hn::Add(hn::Add(sum[0][v], sum[1][v]), hn::Add(sum[2][v], sum[3][v]));
        if (v + 1 < kVectors) {
            hn::StoreU(total, d, sums + col + v * lanes);
        } else {
            hn::BlendedStore(total, mask, d, sums + col + v * lanes);
        }
    }
}

/// Eight rows are added to the sums, which stay in the first-level cache.
template <typename T, bool kFirst>
HWY_NOINLINE void sum_eight_rows(const MatrixRows<T>& a, std::int64_t row, const T* x, T* sums) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const T* first = a.data + row * a.ld;
    LaneVector<T> factor[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
        factor[i] = hn::Set(d, x[row + i]);
    }
    std::int64_t c = 0;
    for (; c + lanes <= a.cols; c += lanes) {
        LaneVector<T> even = kFirst ? hn::Zero(d) : hn::LoadU(d, sums + c);
        LaneVector<T> odd = hn::Zero(d);
#pragma GCC unroll 4
        for (int i = 0; i < 8; i += 2) {
            even = hn::MulAdd(factor[i], hn::LoadU(d, first + i * a.ld + c), even);
            odd = hn::MulAdd(factor[i + 1], hn::LoadU(d, first + (i + 1) * a.ld + c), odd);
        }
        hn::StoreU(hn::Add(even, odd), d, sums + c);
    }
    if (c < a.cols) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(a.cols - c));
        LaneVector<T> even = kFirst ? hn::Zero(d) : hn::MaskedLoad(mask, d, sums + c);
        LaneVector<T> odd = hn::Zero(d);
#pragma GCC unroll 4
        for (int i = 0; i < 8; i += 2) {
            even = hn::MulAdd(factor[i], hn::MaskedLoad(mask, d, first + i * a.ld + c), even);
            odd =
                hn::MulAdd(factor[i + 1], hn::MaskedLoad(mask, d, first + (i + 1) * a.ld + c), odd);
        }
        hn::BlendedStore(hn::Add(even, odd), mask, d, sums + c);
    }
}

template <typename T>
void sums_typed(const MatrixRows<T>& a, const T* x, T* sums) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    constexpr std::int64_t kNarrow = 4;
    if (a.cols <= kNarrow * lanes || a.rows < 8) {
        for (std::int64_t col = 0; col < a.cols;) {
            const std::int64_t left = a.cols - col;
            if (left > 2 * lanes) {
                const std::int64_t vectors = std::min<std::int64_t>(4, (left + lanes - 1) / lanes);
                const std::int64_t last = std::min(left, vectors * lanes) - (vectors - 1) * lanes;
                vectors == 4 ? sum_narrow<T, 4>(a, col, last, x, sums)
                             : sum_narrow<T, 3>(a, col, last, x, sums);
                col += vectors * lanes;
            } else if (left > lanes) {
                sum_narrow<T, 2>(a, col, left - lanes, x, sums);
                return;
            } else {
                sum_narrow<T, 1>(a, col, left, x, sums);
                return;
            }
        }
        return;
    }
    sum_eight_rows<T, true>(a, 0, x, sums);
    std::int64_t row = 8;
    for (; row + 8 <= a.rows; row += 8) {
        sum_eight_rows<T, false>(a, row, x, sums);
    }
    const Lane<T> d;
    for (; row < a.rows; ++row) {
        const T* from = a.data + row * a.ld;
        const auto factor = hn::Set(d, x[row]);
        std::int64_t c = 0;
        for (; c + lanes <= a.cols; c += lanes) {
            hn::StoreU(hn::MulAdd(factor, hn::LoadU(d, from + c), hn::LoadU(d, sums + c)), d,
                       sums + c);
        }
        if (c < a.cols) {
            const auto mask = hn::FirstN(d, static_cast<std::size_t>(a.cols - c));
            hn::BlendedStore(hn::MulAdd(factor, hn::MaskedLoad(mask, d, from + c),
                                        hn::MaskedLoad(mask, d, sums + c)),
                             mask, d, sums + c);
        }
    }
}

template <typename T>
MatrixRows<T> rows_of(const View& a) {
    return {reinterpret_cast<const T*>(a.data), a.row_stride, a.rows, a.cols};
}

void dots_all(const View& a, const std::byte* x, std::byte* sums) {
    with_type(a.type, [&](auto zero) {
        using T = decltype(zero);
        dots_typed<T>(rows_of<T>(a), reinterpret_cast<const T*>(x), reinterpret_cast<T*>(sums));
    });
}

void sums_all(const View& a, const std::byte* x, std::byte* sums) {
    with_type(a.type, [&](auto zero) {
        using T = decltype(zero);
        sums_typed<T>(rows_of<T>(a), reinterpret_cast<const T*>(x), reinterpret_cast<T*>(sums));
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
namespace {
HWY_EXPORT(dots_all);
HWY_EXPORT(sums_all);

/// A part is about as much as one core reads in 20 microseconds; partial sums are few.
constexpr std::int64_t kPartBytes = 256 << 10;
constexpr std::int64_t kMostParts = 64;
constexpr std::int64_t kLeastRowsToSum = 128;
/// A multiple of every number of rows that a kernel takes at once.
constexpr std::int64_t kRowUnit = 16;

/// The first sums become those of all parts.
template <typename T>
void add_parts(T* sums, std::int64_t count, std::int64_t parts) {
    for (std::int64_t part = 1; part < parts; ++part) {
        const T* more = sums + part * count;
        for (std::int64_t i = 0; i < count; ++i) {
            sums[i] += more[i];
        }
    }
}

template <typename T>
void write_sums(const T* sums, double alpha, double beta, const View& y) {
    auto* out = reinterpret_cast<T*>(y.data);
    const T a = static_cast<T>(alpha);
    const T b = static_cast<T>(beta);
    const std::int64_t stride = y.row_stride;
    if (beta == 0) {
        for (std::int64_t i = 0; i < y.rows; ++i) {
            out[i * stride] = a * sums[i];
        }
    } else if (stride == 1) {
        for (std::int64_t i = 0; i < y.rows; ++i) {
            out[i] = a * sums[i] + b * out[i];
        }
    } else {
        for (std::int64_t i = 0; i < y.rows; ++i) {
            out[i * stride] = a * sums[i] + b * out[i * stride];
        }
    }
}

}  // namespace

VectorProduct::VectorProduct(double alpha, const View& a, const View& x, double beta, const View& y,
                             Scratch& scratch, std::int64_t rows_per_part)
    : alpha_(alpha), beta_(beta), a_(a), x_(x), y_(y), by_rows_(a.col_stride == 1 || a.cols == 1) {
    if (!by_rows_) {
        a_ = transposed(a);
    }
    const std::int64_t size = size_of(a.type);
    if (x.row_stride != 1) {
        x_ = scratch.matrix(x.type, x.rows, 1, 1);
        with_type(x.type, [&](auto zero) {
            using T = decltype(zero);
            for (std::int64_t i = 0; i < x.rows; ++i) {
                reinterpret_cast<T*>(x_.data)[i] =
                    reinterpret_cast<const T*>(x.data)[i * x.row_stride];
            }
        });
    }
    const std::int64_t wanted =
        std::clamp<std::int64_t>(a_.count() * size / kPartBytes, 1, kMostParts);
    rows_per_part_ = ((a_.rows + wanted - 1) / wanted + kRowUnit - 1) / kRowUnit * kRowUnit;
    if (!by_rows_) {
        rows_per_part_ = std::max(rows_per_part_, kLeastRowsToSum);
    }
    if (rows_per_part > 0) {
        rows_per_part_ = rows_per_part;
    }
    parts_ = (a_.rows + rows_per_part_ - 1) / rows_per_part_;
    const bool in_place = alpha == 1 && beta == 0 && y.row_stride == 1 && (by_rows_ || parts_ == 1);
    sums_ = in_place ? y.data : scratch.take((by_rows_ ? 1 : parts_) * y.rows * size);
}

void VectorProduct::compute(std::int64_t part) const {
    const std::int64_t size = size_of(a_.type);
    const std::int64_t first = part * rows_per_part_;
    const View a = block(a_, first, 0, std::min(rows_per_part_, a_.rows - first), a_.cols);
    if (by_rows_) {
        HWY_DYNAMIC_DISPATCH(dots_all)(a, x_.data, sums_ + first * size);
    } else {
        HWY_DYNAMIC_DISPATCH(sums_all)(a, x_.data + first * size, sums_ + part * y_.rows * size);
    }
}

void VectorProduct::finish() const {
    if (sums_ == y_.data) {
        return;
    }
    with_type(y_.type, [&](auto zero) {
        using T = decltype(zero);
        T* const sums = reinterpret_cast<T*>(sums_);
        add_parts(sums, y_.rows, by_rows_ ? 1 : parts_);
        write_sums(sums, alpha_, beta_, y_);
    });
}

void VectorProduct::finish_rows(std::int64_t part) const {
    if (sums_ == y_.data) {
        return;
    }
    const std::int64_t first = part * rows_per_part_;
    const View rows = block(y_, first, 0, std::min(rows_per_part_, y_.rows - first), 1);
    with_type(y_.type, [&](auto zero) {
        using T = decltype(zero);
        write_sums(reinterpret_cast<const T*>(sums_) + first, alpha_, beta_, rows);
    });
}

}  // namespace matgrad::detail
#endif
