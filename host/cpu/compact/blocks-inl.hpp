/// \file Blocks of a product in lanes, whose sums stay in registers.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_BLOCKS_INL
#undef MATGRAD_BLOCKS_INL
#else
#define MATGRAD_BLOCKS_INL
#endif

#include <cstdint>

#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// A block of the result: accumulators stay in registers over the whole inner dimension.
/// Rows and columns past the edge repeat the last one and are not stored, so one block shape serves
/// every size.
template <typename T, int kRows, int kCols>
struct Block {
    LaneVector<T> sum[kRows][kCols];
};

template <typename T, typename TA, typename TB, bool kSharedB, int kRows, int kCols>
HWY_INLINE void multiply_block(const TA* const* a, std::int64_t a_step, const TB* const* b,
                               std::int64_t b_step, std::int64_t first, std::int64_t inner,
                               Block<T, kRows, kCols>& block) {
    const Lane<T> d;
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            block.sum[i][j] = hn::Zero(d);
        }
    }
    std::int64_t a_at = first * a_step;
    std::int64_t b_at = first * b_step;
    for (std::int64_t k = first; k < inner; ++k) {
        LaneVector<T> left[kRows];
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
            left[i] = load_as<T>(a[i] + a_at);
        }
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            LaneVector<T> right;
            if constexpr (kSharedB) {
                right = hn::Set(d, b[j][b_at]);
            } else {
                right = load_as<T>(b[j] + b_at);
            }
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                block.sum[i][j] = hn::MulAdd(left[i], right, block.sum[i][j]);
            }
        }
        a_at += a_step;
        b_at += b_step;
    }
}

/// The same for a block without edges, whose rows and columns are so many numbers apart: there is nothing to set up.
template <typename T, typename TA, typename TB, bool kSharedB, int kRows, int kCols>
HWY_INLINE void multiply_whole(const Elements<TA>& a, std::int64_t row, const Elements<TB>& b,
                               std::int64_t col, std::int64_t first, std::int64_t inner,
                               Block<T, kRows, kCols>& block) {
    const Lane<T> d;
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            block.sum[i][j] = hn::Zero(d);
        }
    }
    const TA* left = a.at(row, first);
    const TB* right = b.at(first, col);
    const std::int64_t a_row = a.row_step;
    const std::int64_t b_col = b.col_step;
    for (std::int64_t k = first; k < inner; ++k) {
        LaneVector<T> of_a[kRows];
        const TA* next = left;
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i, next += a_row) {
            of_a[i] = load_as<T>(next);
        }
        const TB* entry = right;
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j, entry += b_col) {
            LaneVector<T> of_b;
            if constexpr (kSharedB) {
                of_b = hn::Set(d, *entry);
            } else {
                of_b = load_as<T>(entry);
            }
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                block.sum[i][j] = hn::MulAdd(of_a[i], of_b, block.sum[i][j]);
            }
        }
        left += a.col_step;
        right += b.row_step;
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
