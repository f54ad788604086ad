#pragma once
/// \file Products of matrices on chip.
///
/// A thread has a tile of entries of the result in registers: every number that it reads serves a row or a
/// column of its tile. The entries of a tile are as far apart as there are tiles, so that neighbouring threads
/// read neighbours, or one entry between them.

#include "matrix.cuh"
#include "team.cuh"

namespace matgrad::block {

struct TileShape {
    int rows, cols;
};

/// The tile with the fewest instructions in all rounds that a team needs for a result of rows x cols. A
/// thread alone takes the largest: it has one round after the other anyhow.
MATGRAD_DEVICE constexpr TileShape tile_shape(int rows, int cols, int threads, int most) {
    TileShape best{1, 1};
    long long least = -1;
    for (int r = 1; r <= 8 && r <= rows; r *= 2) {
        for (int c = 1; c <= 8 && c <= cols; c *= 2) {
            const long long tiles =
                static_cast<long long>((rows + r - 1) / r) * ((cols + c - 1) / c);
            const long long rounds = (tiles + threads - 1) / threads;
            const long long cost = rounds * (r * c + 2 * (r + c));
            if (r * c <= most && (least < 0 || cost < least)) {
                least = cost;
                best = {r, c};
            }
        }
    }
    return best;
}

/// Which rows a thread has: those of group `group` of kDown, kTileRows each. Threads of neighbouring groups have rows
/// kAcross apart where that can be, so that with an odd line neighbours of a row and the next rows of other
/// threads lie in different banks.
template <int kRows, int kTileRows, int kDown, int kAcross>
MATGRAD_DEVICE int row_of_tile(int group, int i) {
    constexpr bool kWhole = kDown * kTileRows == kRows;
    if constexpr (kWhole && kTileRows % kAcross == 0) {
        return group * kAcross + i % kAcross + i / kAcross * (kDown * kAcross);
    } else if constexpr (kWhole && kAcross % kTileRows == 0 && kDown % (kAcross / kTileRows) == 0) {
        constexpr int kApart = kAcross / kTileRows;
        constexpr int kTurns = kDown / kApart;
        return (group % kTurns * kApart + group / kTurns) * kTileRows + i;
    } else {
        return group + i * kDown;
    }
}

/// Calls finish(r, c, sum over k of a(r, k) * b(k, c)) for every entry of a*b.
///
/// Who      every thread of the team
/// Memory   reads a and b; what `finish` writes is read by nobody before the next sync
/// Order    of the additions is that of k, so equal numbers give equal bits on any team
template <typename Team, typename C, typename A, typename B, typename Finish>
MATGRAD_DEVICE void for_each_product(const A& a, const B& b, const Finish& finish) {
    constexpr int kRows = A::kRows;
    constexpr int kCols = B::kCols;
    constexpr int kInner = A::kCols;
    if constexpr (kRows > 0 && kCols > 0) {
        constexpr TileShape kTile =
            tile_shape(kRows, kCols, Team::kThreads, sizeof(C) == 4 ? 32 : 16);
        constexpr int kDown = (kRows + kTile.rows - 1) / kTile.rows;
        constexpr int kAcross = (kCols + kTile.cols - 1) / kTile.cols;
        for_each<Team, kDown * kAcross>([&](int tile) {
            const int first_col = tile % kAcross;
            const auto row = [&](int i) {
                return row_of_tile<kRows, kTile.rows, kDown, kAcross>(tile / kAcross, i);
            };
            C sums[kTile.rows][kTile.cols] = {};
            in_order<Team, kInner>([&](int k) {
                C left[kTile.rows];
                C right[kTile.cols];
                MATGRAD_UNROLL
                for (int i = 0; i < kTile.rows; ++i) {
                    const int r = row(i);
                    left[i] = r < kRows ? static_cast<C>(a.get(r, k)) : C(0);
                }
                MATGRAD_UNROLL
                for (int j = 0; j < kTile.cols; ++j) {
                    const int c = first_col + j * kAcross;
                    right[j] = c < kCols ? static_cast<C>(b.get(k, c)) : C(0);
                }
                MATGRAD_UNROLL
                for (int i = 0; i < kTile.rows; ++i) {
                    MATGRAD_UNROLL
                    for (int j = 0; j < kTile.cols; ++j) {
                        sums[i][j] += left[i] * right[j];
                    }
                }
            });
            MATGRAD_UNROLL
            for (int i = 0; i < kTile.rows; ++i) {
                MATGRAD_UNROLL
                for (int j = 0; j < kTile.cols; ++j) {
                    const int r = row(i);
                    const int c = first_col + j * kAcross;
                    if (r < kRows && c < kCols) {
                        finish(r, c, sums[i][j]);
                    }
                }
            }
        });
    }
}

/// out = alpha * a * b. `out` is neither a nor b.
template <typename Team, typename C, typename A, typename B, typename Out>
MATGRAD_DEVICE void gemm(C alpha, const A& a, const B& b, const Out& out) {
    for_each_product<Team, C>(a, b, [&](int r, int c, C sum) {
        out.set(r, c, static_cast<typename Out::Type>(alpha * sum));
    });
}

/// out = alpha * a * b + beta * c. `out` may be c.
template <typename Team, typename C, typename A, typename B, typename Added, typename Out>
MATGRAD_DEVICE void gemm(C alpha, const A& a, const B& b, C beta, const Added& added,
                         const Out& out) {
    for_each_product<Team, C>(a, b, [&](int r, int c, C sum) {
        const C old = static_cast<C>(added.get(r, c));
        out.set(r, c, static_cast<typename Out::Type>(alpha * sum + beta * old));
    });
}

/// Calls function(r, c) for 0 <= c <= r < n, by one thread each.
template <typename Team, int n, typename Function>
MATGRAD_DEVICE void for_each_lower(const Function& function) {
    if constexpr (Team::kThreads == 1) {
        MATGRAD_UNROLL
        for (int r = 0; r < n; ++r) {
            MATGRAD_UNROLL
            for (int c = 0; c < n; ++c) {
                if (c <= r) {
                    function(r, c);
                }
            }
        }
    } else {
        for_each<Team, n*(n + 1) / 2>([&](int i) {
            int row = 0;
            int before = 0;  // in the rows above
            while (before + row < i) {
                ++row;
                before += row;
            }
            function(row, i - before);
        });
    }
}

/// out = alpha * a * a': the lower triangle, and with kMirror the upper one too. kAdds: added to what is there.
template <typename Team, typename C, bool kMirror, bool kAdds = false, typename A, typename Out>
MATGRAD_DEVICE void syrk(C alpha, const A& a, const Out& out) {
    constexpr int n = A::kRows;
    constexpr int kInner = A::kCols;
    using T = typename Out::Type;
    if constexpr (n > 0) {
        // Entries (r, c) with r and c alike modulo kDown to a pair of numbers are a tile. Of two tiles that
        // mirror each other one is computed.
        constexpr int kSide = n >= 4 * Team::kThreads ? 4 : n * n >= 8 * Team::kThreads ? 2 : 1;
        constexpr int kDown = (n + kSide - 1) / kSide;
        for_each_lower<Team, kDown>([&](int first_row, int first_col) {
            C sums[kSide][kSide] = {};
            in_order<Team, kInner>([&](int k) {
                C left[kSide];
                C right[kSide];
                MATGRAD_UNROLL
                for (int i = 0; i < kSide; ++i) {
                    const int r = first_row + i * kDown;
                    const int c = first_col + i * kDown;
                    left[i] = r < n ? static_cast<C>(a.get(r, k)) : C(0);
                    right[i] = c < n ? static_cast<C>(a.get(c, k)) : C(0);
                }
                MATGRAD_UNROLL
                for (int i = 0; i < kSide; ++i) {
                    MATGRAD_UNROLL
                    for (int j = 0; j < kSide; ++j) {
                        sums[i][j] += left[i] * right[j];
                    }
                }
            });
            MATGRAD_UNROLL
            for (int i = 0; i < kSide; ++i) {
                MATGRAD_UNROLL
                for (int j = 0; j < kSide; ++j) {
                    const int r = first_row + i * kDown;
                    const int c = first_col + j * kDown;
                    if (r < n && c < n && (first_row != first_col || i >= j)) {
                        const int low = r > c ? r : c;
                        const int high = r > c ? c : r;
                        const C old = kAdds ? static_cast<C>(out.get(low, high)) : C(0);
                        const T value = static_cast<T>(alpha * sums[i][j] + old);
                        out.set(low, high, value);
                        if (kMirror && low != high) {
                            out.set(high, low, value);
                        }
                    }
                }
            }
        });
    }
}

}  // namespace matgrad::block
