#pragma once
/// \file What a blocked factorization does behind a panel: out -= left * right, on a square of the matrix.

#include "matrix.cuh"
#include "team.cuh"

namespace matgrad::block {

/// A warp has kWarpRows x kWarpCols entries, a thread a square of kTileSide. Threads whose squares lie
/// side by side read entries of 8 rows (of double 4, by half a warp) and 4 columns at a time: where rows
/// are an odd number of entries apart, no two of them are in one bank.
inline constexpr int kTileSide = 4;
inline constexpr int kWarpRows = 8 * kTileSide;
inline constexpr int kWarpCols = 4 * kTileSide;

/// The thread's square: its first row and column within the entries of the warp.
MATGRAD_DEVICE int row_of_lane(int lane) {
    return kTileSide * (lane % 4 + 4 * (lane / 16));
}
MATGRAD_DEVICE int col_of_lane(int lane) {
    return kTileSide * (lane / 4 % 4);
}

/// Rows r.. and columns c.. of out -= left(:, k..) * right(k.., :), of kLength products. `kLower`: only what
/// is on the diagonal and below it is written.
///
/// Who      a thread
/// Memory   `out` is no memory that other threads read or write meanwhile
template <typename C, int kLength, bool kLower, typename Left, typename Right, typename Out>
MATGRAD_DEVICE void update_square(const Left& left, const Right& right, const Out& out, int r,
                                  int c, int k) {
    C sums[kTileSide][kTileSide] = {};
    // Few products at a time: the numbers of many do not fit the registers.
    constexpr int kTurn = 4;
    MATGRAD_NO_UNROLL
    for (int turn = 0; turn < kLength; turn += kTurn) {
        MATGRAD_UNROLL
        for (int l = 0; l < kTurn; ++l) {
            if (kLength % kTurn != 0 && turn + l >= kLength) {
                break;
            }
            C row[kTileSide];
            MATGRAD_UNROLL
            for (int j = 0; j < kTileSide; ++j) {
                row[j] = static_cast<C>(right.get(k + turn + l, c + j));
            }
            MATGRAD_UNROLL
            for (int i = 0; i < kTileSide; ++i) {
                const C factor = static_cast<C>(left.get(r + i, k + turn + l));
                MATGRAD_UNROLL
                for (int j = 0; j < kTileSide; ++j) {
                    sums[i][j] += factor * row[j];
                }
            }
        }
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kTileSide; ++i) {
        MATGRAD_UNROLL
        for (int j = 0; j < kTileSide; ++j) {
            if (!kLower || r + i >= c + j) {
                const C entry = static_cast<C>(out.get(r + i, c + j));
                out.set(r + i, c + j, static_cast<typename Out::Type>(entry - sums[i][j]));
            }
        }
    }
}

}  // namespace matgrad::block
