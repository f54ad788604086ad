#pragma once
/// \file Cholesky factors in place, of any order, one problem to a block.

#include "arguments.cuh"
#include "device.cuh"
#include "place.cuh"

namespace matgrad::block {

struct CholeskyArgs {
    Launch launch;
    Strided a;
    long long n;
    long long by_columns;  ///< not 0: neighbours in a column are close in memory
};

/// A tile of the matrix: kSide x kSide entries, four to a thread.
template <typename T, int kSide>
struct Tile {
    static constexpr int kLine =
        kSide + 1;  // one more, so that a column lies in as many banks as a row
    static constexpr int kHalf = kSide / 2;
    static constexpr int kThreads = kHalf * kHalf;
    static constexpr int kEach = 4;

    const CholeskyArgs& args;
    long long problem;
    int fast = thread_index() % kHalf;
    int slow = thread_index() / kHalf;

    MATGRAD_DEVICE int row(int e) const {
        return args.by_columns != 0 ? fast + e % 2 * kHalf : slow + e / 2 * kHalf;
    }
    MATGRAD_DEVICE int col(int e) const {
        return args.by_columns != 0 ? slow + e / 2 * kHalf : fast + e % 2 * kHalf;
    }
    MATGRAD_DEVICE T* place(long long r, long long c) const {
        return address<T>(args.a, problem, r, c);
    }
    /// Beyond the matrix there are zeros.
    MATGRAD_DEVICE T read(long long r, long long c) const {
        return r < args.n && c < args.n ? load(place(r, c)) : T(0);
    }
};

/// The diagonal tile, of which `width` rows are the matrix's, becomes its lower factor. A pivot that is
/// not positive stays on the diagonal, where whoever reads the status finds it.
template <typename T, int kSide>
MATGRAD_DEVICE void factor_tile(const Tile<T, kSide>& tile, T* d, int width) {
    constexpr int kLine = Tile<T, kSide>::kLine;
    for (int k = 0; k < width; ++k) {
        barrier();
        const T square = d[k * kLine + k];
        const T pivot = square > T(0) ? sqrt(square) : square;
        barrier();
        if (thread_index() >= k && thread_index() < width) {
            T& entry = d[thread_index() * kLine + k];
            entry = thread_index() == k ? pivot : entry / pivot;
        }
        barrier();
        MATGRAD_UNROLL
        for (int e = 0; e < Tile<T, kSide>::kEach; ++e) {
            const int r = tile.row(e);
            const int c = tile.col(e);
            if (c > k && r >= c && r < width) {
                d[r * kLine + c] -= d[r * kLine + k] * d[c * kLine + k];
            }
        }
    }
    barrier();
}

/// x := x inv(d'), d lower: a thread has a row.
template <typename T, int kSide>
MATGRAD_DEVICE void solve_tile(const T* d, T* x, int width) {
    constexpr int kLine = Tile<T, kSide>::kLine;
    barrier();
    if (thread_index() < kSide) {
        T* const row = x + thread_index() * kLine;
        for (int c = 0; c < width; ++c) {
            T sum = row[c];
            for (int k = 0; k < c; ++k) {
                sum -= row[k] * d[c * kLine + k];
            }
            row[c] = sum / d[c * kLine + c];
        }
    }
    barrier();
}

/// Panel by panel from the left: a tile has the products of what is to its left taken away, and is then
/// factored if it is on the diagonal, else solved.
///
/// Who      every thread of a block of Tile::kThreads
/// Memory   reads and writes the lower triangle alone
/// Order    of the operations depends on n alone
template <typename T, int kSide>
MATGRAD_DEVICE void cholesky(const CholeskyArgs& args) {
    using Tiles = Tile<T, kSide>;
    constexpr int kLine = Tiles::kLine;
    constexpr int kEach = Tiles::kEach;
    MATGRAD_SHARED(T, diagonal, kSide * kLine);
    MATGRAD_SHARED(T, left, kSide * kLine);
    MATGRAD_SHARED(T, above, kSide * kLine);
    const Tiles tile{args, args.launch.first_block + block_index()};

    for (long long j = 0; j < args.n; j += kSide) {
        const int width = static_cast<int>(args.n - j < kSide ? args.n - j : kSide);
        for (long long i = j; i < args.n; i += kSide) {
            T entries[kEach];
            MATGRAD_UNROLL
            for (int e = 0; e < kEach; ++e) {
                const int r = tile.row(e);
                const int c = tile.col(e);
                entries[e] = i > j || r >= c ? tile.read(i + r, j + c) : T(0);
            }
            for (long long k = 0; k < j; k += kSide) {
                MATGRAD_UNROLL
                for (int e = 0; e < kEach; ++e) {
                    const int r = tile.row(e);
                    const int c = tile.col(e);
                    left[r * kLine + c] = tile.read(i + r, k + c);
                    above[r * kLine + c] = tile.read(j + r, k + c);
                }
                barrier();
                for (int l = 0; l < kSide; ++l) {
                    MATGRAD_UNROLL
                    for (int e = 0; e < kEach; ++e) {
                        entries[e] -=
                            left[tile.row(e) * kLine + l] * above[tile.col(e) * kLine + l];
                    }
                }
                barrier();
            }
            T* const here = i == j ? diagonal : left;
            MATGRAD_UNROLL
            for (int e = 0; e < kEach; ++e) {
                here[tile.row(e) * kLine + tile.col(e)] = entries[e];
            }
            if (i == j) {
                factor_tile(tile, diagonal, width);
            } else {
                solve_tile<T, kSide>(diagonal, left, width);
            }
            MATGRAD_UNROLL
            for (int e = 0; e < kEach; ++e) {
                const int r = tile.row(e);
                const int c = tile.col(e);
                if (i + r < args.n && c < width && (i > j || r >= c)) {
                    store(tile.place(i + r, j + c), here[r * kLine + c]);
                }
            }
            barrier();
        }
    }
}

}  // namespace matgrad::block
