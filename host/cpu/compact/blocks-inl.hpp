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

/// Where the rows of a block's left factor begin, or the columns of its right one: at any places.
template <typename T>
struct Places {
    const T* const* places;
    std::int64_t step;    ///< along the inner dimension
    std::int64_t at = 0;  ///< along it, where the next element is

    struct Cursor {
        const T* const* place;
        std::int64_t at;
        [[nodiscard]] HWY_INLINE const T* get() const { return *place + at; }
        HWY_INLINE void next() { ++place; }
    };
    [[nodiscard]] HWY_INLINE Cursor begin() const { return {places, at}; }
    HWY_INLINE void advance(std::int64_t count) { at += count * step; }
};

/// The same where they are so many numbers apart, as in a block without edges: there is nothing to set up.
template <typename T>
struct Strided {
    const T* first;
    std::int64_t step;   ///< along the inner dimension
    std::int64_t apart;  ///< from one row or column to the next

    struct Cursor {
        const T* at;
        std::int64_t apart;
        [[nodiscard]] HWY_INLINE const T* get() const { return at; }
        HWY_INLINE void next() { at += apart; }
    };
    [[nodiscard]] HWY_INLINE Cursor begin() const { return {first, apart}; }
    HWY_INLINE void advance(std::int64_t count) { first += count * step; }
};

/// The products of rows and columns over [first, inner). `kSharedB`: one number of the right factor is for all lanes.
template <typename T, bool kSharedB, typename Left, typename Right, int kRows, int kCols>
HWY_INLINE void multiply_block(Left left, Right right, std::int64_t first, std::int64_t inner,
                               Block<T, kRows, kCols>& block) {
    const Lane<T> d;
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            block.sum[i][j] = hn::Zero(d);
        }
    }
    left.advance(first);
    right.advance(first);
    for (std::int64_t k = first; k < inner; ++k) {
        LaneVector<T> of_a[kRows];
        auto row = left.begin();
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i, row.next()) {
            of_a[i] = load_as<T>(row.get());
        }
        auto col = right.begin();
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j, col.next()) {
            LaneVector<T> of_b;
            if constexpr (kSharedB) {
                of_b = hn::Set(d, *col.get());
            } else {
                of_b = load_as<T>(col.get());
            }
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                block.sum[i][j] = hn::MulAdd(of_a[i], of_b, block.sum[i][j]);
            }
        }
        left.advance(1);
        right.advance(1);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
