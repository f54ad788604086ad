#pragma once
/// \file Which entries a thread works on, and reading and writing them.
///
/// Sizes are compile-time constants, so divisions by them are multiplications. Inside a problem
/// indices are 32 bit wherever its entries can be counted so; a block divides in 64 bit once.

#include "arguments.cuh"
#include "device.cuh"

namespace matgrad::block {

/// The type that counts `kCount` things and some blocks of threads beyond.
template <bool kLong>
struct IndexType {
    using Type = unsigned;
};
template <>
struct IndexType<true> {
    using Type = long long;
};
template <long long kCount>
using Index = typename IndexType<(kCount >= (1LL << 31) - (1LL << 16))>::Type;

/// Item number `number` of problem `problem`.
template <typename I>
struct Item {
    long long problem;
    I number;
};

/// `local` past the item (problem 0, number 0) + first, where each problem has kCount items.
/// `first` is the same for all threads of the block.
template <long long kCount, typename I>
MATGRAD_DEVICE Item<I> item_at(long long first, int local) {
    constexpr I kItems = kCount > 0 ? kCount : 1;
    const long long problem = first / kItems;
    const I number = static_cast<I>(first - problem * kItems) + static_cast<I>(local);
    return {problem + number / kItems, number % kItems};
}

/// An entry of a matrix of the batch.
template <typename I>
struct Place {
    long long problem;
    I row, col;
    bool inside;  ///< otherwise there is no such entry
};

inline constexpr int kTileCols = 32;

/// The entry of this thread in round `round` of kRounds of block `block` of kThreads threads, in a
/// batch of kRows x kCols matrices. Over the blocks every entry comes up once.
template <long long kRows, long long kCols, int kThreads, int kRounds>
MATGRAD_DEVICE Place<Index<kRows * kCols>> place_of(const Launch& launch, long long block,
                                                    int order, int round) {
    using I = Index<kRows * kCols>;
    if (order == kByTiles) {
        constexpr int kTileRows = kThreads / kTileCols * kRounds;
        constexpr I kAcross = (kCols + kTileCols - 1) / kTileCols;
        constexpr I kDown = (kRows + kTileRows - 1) / kTileRows;
        const Item<I> tile = item_at<static_cast<long long>(kAcross) * kDown, I>(block, 0);
        const I down = tile.number / (kAcross > 0 ? kAcross : 1);
        const I across = tile.number - down * kAcross;
        const int row_in_tile = round * (kThreads / kTileCols) + thread_index() / kTileCols;
        const I row = down * kTileRows + static_cast<I>(row_in_tile);
        const I col = across * kTileCols + static_cast<I>(thread_index() % kTileCols);
        const bool inside =
            static_cast<long long>(row) < kRows && static_cast<long long>(col) < kCols;
        return {tile.problem, row, col, inside};
    }
    const Item<I> entry =
        item_at<kRows * kCols, I>(block * (kThreads * kRounds), round * kThreads + thread_index());
    const bool inside = entry.problem < launch.batch;
    if (order == kByColumns) {
        constexpr I kDown = kRows > 0 ? kRows : 1;
        const I col = entry.number / kDown;
        return {entry.problem, entry.number - col * kDown, col, inside};
    }
    constexpr I kAcross = kCols > 0 ? kCols : 1;
    const I row = entry.number / kAcross;
    return {entry.problem, row, entry.number - row * kAcross, inside};
}

/// The block of this thread in all launches.
MATGRAD_DEVICE long long block_of(const Launch& launch) {
    return launch.first_block + block_index();
}

template <typename T>
MATGRAD_DEVICE T* address(const Strided& matrix, long long problem, long long row, long long col) {
    return static_cast<T*>(matrix.data) + problem * matrix.batch + row * matrix.row +
           col * matrix.col;
}

/// The entry itself, and of what is spread over rows, columns or all: a column's entry in its row, a
/// row's entry in its column, the one entry of the problem.
template <typename T, typename From, typename At>
MATGRAD_DEVICE T entry(const Strided& from, const At& at) {
    return static_cast<T>(load(address<const From>(from, at.problem, at.row, at.col)));
}
template <typename T, typename From, typename At>
MATGRAD_DEVICE T entry_of_column(const Strided& from, const At& at) {
    return static_cast<T>(load(address<const From>(from, at.problem, at.row, 0)));
}
template <typename T, typename From, typename At>
MATGRAD_DEVICE T entry_of_row(const Strided& from, const At& at) {
    return static_cast<T>(load(address<const From>(from, at.problem, 0, at.col)));
}
template <typename T, typename From, typename At>
MATGRAD_DEVICE T entry_of_scalar(const Strided& from, const At& at) {
    return static_cast<T>(load(address<const From>(from, at.problem, 0, 0)));
}

}  // namespace matgrad::block
