#pragma once
/// \file Cholesky factors of matrices on chip.
///
///     int potrf<Team, C>(a, l)
///
/// Who      every thread of the team, with equal arguments; a warp has n <= 32, a thread n to about 10
/// Memory   takes the lower triangle of a, whatever stands above it; writes the lower triangle of l, and 0 above it. l may be a.
/// Sync     a is complete before; l is after the team's next sync()
/// Returns  to every thread 0, or the number, from 1, of the first pivot that is not positive or not
///          finite. It then stands on the diagonal of l as it was found, and what is left of it is of the
///          factor (failed_on_finite of pivots.cuh); the rest is of no use.
/// Scratch  none
///
/// Computes in C. A block keeps what is not yet factored in l, rounded to its type, and judges a pivot by
/// its root there.
///
/// The order of the operations depends on the sizes and the team alone.

#include "pivots.cuh"
#include "update.cuh"

namespace matgrad::block {

/// 1/sqrt(x), within two roundings.
MATGRAD_DEVICE double inverse_root(double x) {
    return rsqrt(x);
}
MATGRAD_DEVICE float inverse_root(float x) {
    // The hardware's approximation and one step of Newton.
    const float y = rsqrt(x);
    return y + 0.5F * y * (1.0F - x * y * y);
}

/// What stands on the diagonal for a pivot.
template <typename C>
MATGRAD_DEVICE C root_of(C pivot) {
    return is_positive(pivot) ? sqrt(pivot) : pivot;
}

template <typename C, typename A, typename L>
MATGRAD_DEVICE int potrf_by_thread(const A& a, const L& l) {
    using T = typename L::Type;
    constexpr int kOrder = A::kRows;
    C x[kOrder][kOrder];
    MATGRAD_UNROLL
    for (int r = 0; r < kOrder; ++r) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            x[r][c] = c <= r ? static_cast<C>(a.get(r, c)) : C(0);
        }
    }
    int failed = 0;
    MATGRAD_UNROLL
    for (int k = 0; k < kOrder; ++k) {
        failed = failed == 0 && !is_positive(x[k][k]) ? k + 1 : failed;
        const C inverse = inverse_root(x[k][k]);
        x[k][k] = root_of(x[k][k]);
        MATGRAD_UNROLL
        for (int r = 0; r < kOrder; ++r) {
            if (r > k) {
                x[r][k] *= inverse;
                MATGRAD_UNROLL
                for (int c = 0; c < kOrder; ++c) {
                    if (c > k && c <= r) {
                        x[r][c] -= x[r][k] * x[c][k];
                    }
                }
            }
        }
    }
    MATGRAD_UNROLL
    for (int r = 0; r < kOrder; ++r) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            l.set(r, c, static_cast<T>(x[r][c]));
        }
    }
    return failed;
}

/// A lower triangle whose row `row`, or zeros, this lane has becomes its factor; row r is in lane r. What
/// is above the diagonal may be anything. The diagonal's squares are left in `square`. Returns the first
/// pivot that fails.
///
/// Of the way from one pivot to the next, which all wait for, no root and no second exchange is a part:
/// the entries of a column are exchanged while the inverse of its root is computed.
template <int kOrder, typename C>
MATGRAD_DEVICE int factor_rows(C (&x)[kOrder], int row, C& square) {
    int failed = 0;
    MATGRAD_UNROLL
    for (int k = 0; k < kOrder; ++k) {
        const C mine = x[k];
        const C pivot = from_lane(mine, k);
        failed = failed == 0 && !is_positive(pivot) ? k + 1 : failed;
        square = row == k ? mine : square;
        const C inverse = inverse_root(pivot);
        x[k] = mine * inverse;
        const C factor = x[k] * inverse;
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            if (c > k) {
                x[c] -= factor * from_lane(mine, c);
            }
        }
    }
    return failed;
}

/// Row `row` of a factor, from what factor_rows leaves.
template <int kOrder, typename C>
MATGRAD_DEVICE C entry_of_row(const C (&x)[kOrder], C root, int row, int c) {
    return c < row ? x[c] : c == row ? root : C(0);
}

template <typename C, typename A, typename L>
MATGRAD_DEVICE int potrf_by_warp(const A& a, const L& l) {
    using T = typename L::Type;
    constexpr int kOrder = A::kRows;
    static_assert(kOrder <= kWarp, "a warp has a row a lane");
    const int row = thread_index() % kWarp;
    C x[kOrder] = {};
    if (row < kOrder) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            x[c] = static_cast<C>(a.get(row, c));
        }
    }
    C square = 0;
    const int failed = factor_rows(x, row, square);
    const C root = root_of(square);
    if (row < kOrder) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            l.set(row, c, static_cast<T>(entry_of_row(x, root, row, c)));
        }
    }
    return failed;
}

/// A block's: panel by panel, and behind each the rest of the matrix is updated at once. One warp updates
/// and factors the next square on the diagonal while the others update what is below and beside it.
template <typename Team, typename C, typename A, typename L>
struct BlockCholesky {
    using T = typename L::Type;
    static constexpr int kOrder = A::kRows;
    static constexpr int kPanel = 16;
    static constexpr int kFirst = (kOrder - 1) % kPanel + 1;  ///< so that all others are whole
    static constexpr int kWarps = Team::kThreads / kWarp;
    /// What the square on the diagonal costs, in updates of a warp's entries.
    static constexpr int kSquareCost = 4;

    const A& a;
    const L& l;
    int rank = Team::rank();
    int lane = rank % kWarp;
    int warp = rank / kWarp;

    MATGRAD_DEVICE int factor() const {
        if (warp == 0) {
            factor_square<kFirst, 0>(a, 0);
        } else {
            copy_the_rest();
        }
        Team::sync();
        constexpr int kShort = kFirst == kPanel ? 0 : kFirst;
        if constexpr (kShort > 0 && kOrder > kShort) {
            finish_panel<kShort>(0);
        }
        MATGRAD_NO_UNROLL
        for (int j = kShort; j + kPanel < kOrder; j += kPanel) {
            finish_panel<kPanel>(j);
        }
        return first_failing(l, [](T root) { return !is_positive(root); });
    }

    /// By one warp: rows and columns j.. of `from`, without the products of the kBefore columns before.
    template <int kWidth, int kBefore, typename From>
    MATGRAD_DEVICE void factor_square(const From& from, int j) const {
        constexpr int kHalf = kWarp / 2;
        static_assert(kWidth <= kHalf, "each row is in two lanes");
        const int row = lane % kHalf;
        const int half = lane / kHalf;
        C x[kWidth] = {};
        if (row < kWidth) {
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                x[c] = static_cast<C>(from.get(j + row, j + c));
            }
        }
        if constexpr (kBefore > 0) {
            static_assert(kWidth == kHalf, "all lanes have rows");
            // Each of the two lanes has every other product; one has the entries too.
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                x[c] = half == 0 ? x[c] : C(0);
            }
            MATGRAD_UNROLL
            for (int pair = 0; pair < (kBefore + 1) / 2; ++pair) {
                const int k = 2 * pair + half;
                if (2 * pair + 1 < kBefore || half == 0) {
                    const C mine = static_cast<C>(l.get(j + row, j - kBefore + k));
                    MATGRAD_UNROLL
                    for (int c = 0; c < kWidth; ++c) {
                        x[c] -= mine * static_cast<C>(l.get(j + c, j - kBefore + k));
                    }
                }
            }
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                x[c] += from_lane(x[c], lane ^ kHalf);
            }
        }
        C square = 0;
        (void)factor_rows(x, row, square);
        const C root = root_of(square);
        if (row < kWidth && half == 0) {
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                l.set(j + row, j + c, static_cast<T>(entry_of_row(x, root, row, c)));
            }
        }
    }

    /// By all warps but the first: what is not in the first square.
    MATGRAD_DEVICE void copy_the_rest() const {
        const bool in_place = static_cast<const void*>(a.data) == l.data;
        MATGRAD_NO_UNROLL
        for (int r = warp - 1; r < kOrder; r += kWarps - 1) {
            const int begin = r < kFirst ? kFirst : in_place ? r + 1 : 0;
            MATGRAD_NO_UNROLL
            for (int c = begin + lane; c < kOrder; c += kWarp) {
                l.set(r, c, c > r ? T(0) : static_cast<T>(static_cast<C>(a.get(r, c))));
            }
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void finish_panel(int j) const {
        solve_rows<kWidth>(j);
        Team::sync();
        const int next = j + kWidth;
        if (warp == 0) {
            factor_square<kPanel, kWidth>(l, next);
        }
        update<kWidth>(j, next);
        Team::sync();
    }

    /// Below the square of a panel a thread has a row.
    template <int kWidth>
    MATGRAD_DEVICE void solve_rows(int j) const {
        const int diagonal = j + lane % kWidth;
        const C inverse = C(1) / static_cast<C>(l.get(diagonal, diagonal));
        // The threads of a warp stay together: each has an inverse for all.
        MATGRAD_NO_UNROLL
        for (int begin = j + kWidth + warp * kWarp; begin < kOrder; begin += Team::kThreads) {
            const int row = begin + lane;
            C x[kWidth] = {};
            if (row < kOrder) {
                MATGRAD_UNROLL
                for (int c = 0; c < kWidth; ++c) {
                    x[c] = static_cast<C>(l.get(row, j + c));
                }
            }
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                x[c] *= from_lane(inverse, c);
                MATGRAD_UNROLL
                for (int d = 0; d < kWidth; ++d) {
                    if (d > c) {
                        x[d] -= x[c] * static_cast<C>(l.get(j + d, j + c));
                    }
                }
            }
            if (row < kOrder) {
                MATGRAD_UNROLL
                for (int c = 0; c < kWidth; ++c) {
                    l.set(row, j + c, static_cast<T>(x[c]));
                }
            }
        }
    }

    /// What is below the next square, from `next` on. The first warp has less of it, or nothing.
    template <int kWidth>
    MATGRAD_DEVICE void update(int j, int next) const {
        static_assert(kPanel % kTileSide == 0 && kWarpRows == 2 * kWarpCols, "squares are whole");
        const int rows = kOrder - next;
        const int tall = (rows + kWarpRows - 1) / kWarpRows;
        // Row i of the warps' entries has 2*i + 2 of them in the lower triangle.
        const int items = tall * (tall + 1) - (rows % kWarpRows != 0 ? 1 : 0);
        const int share = (items + kSquareCost + kWarps - 1) / kWarps;
        const int begin = warp * share - kSquareCost;
        const int end = begin + share < items ? begin + share : items;
        int i = 0;
        int past = 0;
        MATGRAD_NO_UNROLL
        for (int item = begin < 0 ? 0 : begin; item < end; ++item) {
            while (item - past > 2 * i + 1) {
                past += 2 * i + 2;
                ++i;
            }
            const int r = kWarpRows * i + row_of_lane(lane);
            const int c = kWarpCols * (item - past) + col_of_lane(lane);
            if (r >= kPanel && r < rows && r >= c) {
                update_square<C, kWidth, true>(l, l.t(), l, next + r, next + c, j);
            }
        }
    }
};

template <typename Team, typename C, typename A, typename L>
MATGRAD_DEVICE int potrf(const A& a, const L& l) {
    static_assert(A::kRows == A::kCols && L::kRows == A::kRows && L::kCols == A::kRows, "square");
    if constexpr (A::kRows == 0) {
        return 0;
    } else if constexpr (Team::kThreads == 1) {
        return potrf_by_thread<C>(a, l);
    } else if constexpr (Team::kThreads == kWarp) {
        return potrf_by_warp<C>(a, l);
    } else {
        return BlockCholesky<Team, C, A, L>{a, l}.factor();
    }
}

}  // namespace matgrad::block
