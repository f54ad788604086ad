#pragma once
/// \file to = from, entry by entry, with any strides and types.

#include "place.cuh"

namespace matgrad::block {

/// Neighbours are close in memory along the rows of one side and the columns of the other: a tile
/// is read one way and written the other, so that both go in whole lines.
///
/// Who      every thread of a block of Body::kThreads
template <typename Body>
MATGRAD_DEVICE void copy_turning(const CopyArgs& args) {
    using From = typename Body::From;
    using To = typename Body::To;
    constexpr int kSide = kTileCols;
    constexpr int kLine = kSide + 1;  // one more, so that a column lies in as many banks as a row
    constexpr int kStep = Body::kThreads / kSide;
    constexpr long long kAcross = (Body::kCols + kSide - 1) / kSide;
    constexpr long long kDown = (Body::kRows + kSide - 1) / kSide;
    MATGRAD_SHARED(From, tile, kSide * kLine);

    const auto number = item_at<kAcross * kDown, Index<kAcross * kDown>>(
        args.launch.first_block + block_index(), 0);
    constexpr Index<kAcross* kDown> kTiles = kAcross > 0 ? kAcross : 1;
    const long long row = static_cast<long long>(number.number / kTiles) * kSide;
    const long long col = static_cast<long long>(number.number % kTiles) * kSide;
    const int fast = thread_index() % kSide;
    const int slow = thread_index() / kSide;
    const bool by_rows = args.order == kByRows;

    MATGRAD_UNROLL
    for (int i = 0; i < kSide; i += kStep) {
        const int r = by_rows ? slow + i : fast;
        const int c = by_rows ? fast : slow + i;
        if (row + r < Body::kRows && col + c < Body::kCols) {
            tile[r * kLine + c] =
                load(address<const From>(args.from, number.problem, row + r, col + c));
        }
    }
    barrier();
    MATGRAD_UNROLL
    for (int i = 0; i < kSide; i += kStep) {
        const int r = by_rows ? fast : slow + i;
        const int c = by_rows ? slow + i : fast;
        if (row + r < Body::kRows && col + c < Body::kCols) {
            store(address<To>(args.to, number.problem, row + r, col + c),
                  static_cast<To>(tile[r * kLine + c]));
        }
    }
}

/// Who      every thread of a block of Body::kThreads, Body::kItems entries each
template <typename Body>
MATGRAD_DEVICE void copy_straight(const CopyArgs& args) {
    using From = typename Body::From;
    using To = typename Body::To;
    constexpr int kItems = Body::kItems;
    Place<Index<Body::kRows * Body::kCols>> at[kItems];
    From values[kItems];
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        at[i] = place_of<Body::kRows, Body::kCols, Body::kThreads, kItems>(
            args.launch, block_of(args.launch), static_cast<int>(args.order), i);
        values[i] = From(0);
        if (at[i].inside) {
            values[i] = entry<From, From>(args.from, at[i]);
        }
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        if (at[i].inside) {
            store(address<To>(args.to, at[i].problem, at[i].row, at[i].col),
                  static_cast<To>(values[i]));
        }
    }
}

template <typename Body>
MATGRAD_DEVICE void copy(const CopyArgs& args) {
    if (args.turns != 0) {
        copy_turning<Body>(args);
    } else {
        copy_straight<Body>(args);
    }
}

}  // namespace matgrad::block
