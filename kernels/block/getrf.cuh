#pragma once
/// \file LU factors with partial pivoting of matrices on chip.
///
///     int getrf<Team, C, kZeroFails>(a, lu, pivots)
///
/// Who      every thread of the team, with equal arguments; a warp has n <= 32, a thread n to about 10
/// Memory   reads a; writes lu, L below the diagonal, whose own is 1, and U; pivots is n x 1 of int: at
///          step k row k was swapped with row pivots[k], from 0. lu may be a.
/// Sync     a is complete before; lu and pivots are after the team's next sync()
/// Returns  to every thread 0, or the number, from 1, of the first pivot that fails: that is not finite, or
///          0 where kZeroFails. It stands on the diagonal of lu (pivot_of of pivots.cuh).
/// Scratch  none
///
/// The pivot is the first of the largest entries of a column, a NaN larger than all. Where the largest is 0
/// the column stays as it is and the rest goes on: the determinant is an exact 0, and cofactors can be
/// solved for.
///
/// Computes in C. A block keeps what is not yet factored in lu, rounded to its type. A warp and a block judge
/// a pivot by what stands in lu.

#include "pivots.cuh"
#include "update.cuh"

namespace matgrad::block {

template <typename C>
MATGRAD_DEVICE bool is_larger(C x, C y) {
    // Without branches, as all that is chosen by numbers here.
    return static_cast<bool>((x > y) | (isnan(x) & !isnan(y)));
}

template <typename T, bool kZeroFails>
MATGRAD_DEVICE bool fails_as_divisor(T pivot) {
    return !isfinite(pivot) || (kZeroFails && pivot == T(0));
}

/// Divides what is at most as large as the pivot by it; by 0 it gives 0.
template <typename C>
struct Divisor {
    C scale;
    C inverse;

    /// The reciprocal of a very small pivot would overflow: it is taken of a multiple.
    MATGRAD_DEVICE explicit Divisor(C pivot) : scale(1) {
        if constexpr (sizeof(C) == 8) {
            scale = fabs(pivot) < C(0x1p-1000) ? C(0x1p200) : C(1);
        } else {
            scale = fabs(pivot) < C(0x1p-120F) ? C(0x1p60F) : C(1);
        }
        inverse = pivot == C(0) ? C(0) : C(1) / (pivot * scale);
    }
    MATGRAD_DEVICE C divide(C x) const { return x * scale * inverse; }
};

template <typename C, bool kZeroFails, typename A, typename LU, typename Pivots>
MATGRAD_DEVICE int getrf_by_thread(const A& a, const LU& lu, const Pivots& pivots) {
    constexpr int kOrder = A::kRows;
    C x[kOrder][kOrder];
    MATGRAD_UNROLL
    for (int r = 0; r < kOrder; ++r) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            x[r][c] = static_cast<C>(a.get(r, c));
        }
    }
    int failed = 0;
    MATGRAD_UNROLL
    for (int k = 0; k < kOrder; ++k) {
        int chosen = k;
        C size = fabs(x[k][k]);
        MATGRAD_UNROLL
        for (int r = 0; r < kOrder; ++r) {
            if (r > k) {
                const C other = fabs(x[r][k]);
                const bool larger = is_larger(other, size);
                chosen = larger ? r : chosen;
                size = larger ? other : size;
            }
        }
        pivots.set(k, 0, chosen);
        MATGRAD_UNROLL
        for (int r = 0; r < kOrder; ++r) {
            if (r > k) {
                MATGRAD_UNROLL
                for (int c = 0; c < kOrder; ++c) {
                    const C upper = x[k][c];
                    x[k][c] = chosen == r ? x[r][c] : upper;
                    x[r][c] = chosen == r ? upper : x[r][c];
                }
            }
        }
        failed = failed == 0 && fails_as_divisor<C, kZeroFails>(x[k][k]) ? k + 1 : failed;
        const Divisor<C> pivot(x[k][k]);
        MATGRAD_UNROLL
        for (int r = 0; r < kOrder; ++r) {
            if (r > k) {
                x[r][k] = pivot.divide(x[r][k]);
                MATGRAD_UNROLL
                for (int c = 0; c < kOrder; ++c) {
                    if (c > k) {
                        x[r][c] -= x[r][k] * x[k][c];
                    }
                }
            }
        }
    }
    MATGRAD_UNROLL
    for (int r = 0; r < kOrder; ++r) {
        MATGRAD_UNROLL
        for (int c = 0; c < kOrder; ++c) {
            lu.set(r, c, static_cast<typename LU::Type>(x[r][c]));
        }
    }
    return failed;
}

/// Columns first.. of a matrix of kRows rows in the registers of a warp, kSlots rows a lane. Rows stay
/// where they are: what a swap changes is at which place of the matrix a row is.
template <typename C, int kRows, int kWidth>
struct WarpColumns {
    static constexpr int kSlots = (kRows + kWarp - 1) / kWarp;
    int lane = thread_index() % kWarp;
    C x[kSlots][kWidth];
    int place[kSlots];

    /// Rows before `first` are finished.
    template <typename A>
    MATGRAD_DEVICE void read(const A& a, int first, int col) {
        MATGRAD_UNROLL
        for (int q = 0; q < kSlots; ++q) {
            place[q] = kWarp * q + lane;
            const bool live = place[q] >= first && place[q] < kRows;
            MATGRAD_UNROLL
            for (int c = 0; c < kWidth; ++c) {
                x[q][c] = 0;
            }
            if (live) {
                MATGRAD_UNROLL
                for (int c = 0; c < kWidth; ++c) {
                    x[q][c] = static_cast<C>(a.get(place[q], col + c));
                }
            }
        }
    }

    /// To the places where the rows are now.
    template <typename LU>
    MATGRAD_DEVICE void write(const LU& lu, int first, int col) const {
        MATGRAD_UNROLL
        for (int q = 0; q < kSlots; ++q) {
            const int row = kWarp * q + lane;
            if (row >= first && row < kRows) {
                MATGRAD_UNROLL
                for (int c = 0; c < kWidth; ++c) {
                    lu.set(place[q], col + c, static_cast<typename LU::Type>(x[q][c]));
                }
            }
        }
    }

    /// Eliminates below place `first` in the first column, below first + 1 in the second, and so on.
    template <typename Pivots>
    MATGRAD_DEVICE void factor(const Pivots& pivots, int first) {
        MATGRAD_UNROLL
        for (int c = 0; c < kWidth; ++c) {
            const int k = first + c;
            const int chosen = choose(c, k);
            const int chosen_lane = chosen % kWarp;
            const int chosen_slot = chosen / kWarp % kSlots;
            const int chosen_place = chosen / (kWarp * kSlots);
            if (lane == 0) {
                pivots.set(k, 0, chosen_place);
            }
            MATGRAD_UNROLL
            for (int q = 0; q < kSlots; ++q) {
                const bool is_chosen = lane == chosen_lane && q == chosen_slot;
                place[q] = is_chosen ? k : place[q] == k ? chosen_place : place[q];
            }
            eliminate(c, k, chosen_lane, chosen_slot);
        }
    }

private:
    /// The row of the largest entry of column c from place k on: its place, slot and lane as one number.
    /// A NaN counts as an infinity with a number below all others.
    MATGRAD_DEVICE int choose(int c, int k) const {
        constexpr int kNumber = 1 << 20;
        static_assert(kRows * kSlots * kWarp <= kNumber, "no two rows have one number");
        C size = -1;  // smaller than all
        int chosen = 2 * kNumber;
        MATGRAD_UNROLL
        for (int q = 0; q < kSlots; ++q) {
            const bool live = place[q] >= k && place[q] < kRows;
            const C mine = fabs(x[q][c]);
            const int number = (place[q] * kSlots + q) * kWarp + lane;
            take_larger(size, chosen,
                        !live         ? C(-1)
                        : isnan(mine) ? infinity<C>()
                                      : mine,
                        isnan(mine) ? number : kNumber + number);
        }
        MATGRAD_UNROLL
        for (int distance = 1; distance < kWarp; distance *= 2) {
            const C other = from_lane(size, lane ^ distance);
            take_larger(size, chosen, other, from_lane(chosen, lane ^ distance));
        }
        return chosen % kNumber;
    }
    /// Of equals the one with the smaller number.
    MATGRAD_DEVICE static void take_larger(C& size, int& chosen, C other, int number) {
        const bool takes =
            static_cast<bool>((other > size) | ((other == size) & (number < chosen)));
        size = takes ? other : size;
        chosen = takes ? number : chosen;
    }

    MATGRAD_DEVICE void eliminate(int c, int k, int lane_of_pivot, int slot_of_pivot) {
        C row[kWidth];
        MATGRAD_UNROLL
        for (int d = 0; d < kWidth; ++d) {
            if (d >= c) {
                C entry = x[0][d];
                MATGRAD_UNROLL
                for (int q = 1; q < kSlots; ++q) {
                    entry = slot_of_pivot == q ? x[q][d] : entry;
                }
                row[d] = from_lane(entry, lane_of_pivot);
            }
        }
        const Divisor<C> pivot(row[c]);
        MATGRAD_UNROLL
        for (int q = 0; q < kSlots; ++q) {
            if (place[q] > k) {
                const C factor = pivot.divide(x[q][c]);
                x[q][c] = factor;
                MATGRAD_UNROLL
                for (int d = 0; d < kWidth; ++d) {
                    if (d > c) {
                        x[q][d] -= factor * row[d];
                    }
                }
            }
        }
    }
};

/// Panel by panel. One warp factors a panel; then each thread has a column beside it, of which it swaps
/// rows and solves for those of U; then all update what is below.
template <typename Team, typename C, typename A, typename LU, typename Pivots>
struct BlockLu {
    using T = typename LU::Type;
    static constexpr int kOrder = A::kRows;
    static constexpr int kSlots = (kOrder + kWarp - 1) / kWarp;
    /// What fits registers.
    static constexpr int kPanel = kSlots * static_cast<int>(sizeof(C)) <= 16 ? 16 : 8;
    static constexpr int kFirst = (kOrder - 1) % kPanel + 1;  ///< so that all others are whole
    static constexpr int kWarps = Team::kThreads / kWarp;

    const A& a;
    const LU& lu;
    const Pivots& pivots;
    int rank = Team::rank();
    int lane = rank % kWarp;
    int warp = rank / kWarp;

    template <bool kZeroFails>
    MATGRAD_DEVICE int factor() const {
        copy();
        constexpr int kShort = kFirst == kPanel ? 0 : kFirst;
        if constexpr (kShort > 0) {
            factor_panel<kShort>(0);
        }
        MATGRAD_NO_UNROLL
        for (int j = kShort; j < kOrder; j += kPanel) {
            factor_panel<kPanel>(j);
        }
        return first_failing(lu, [](T pivot) { return fails_as_divisor<T, kZeroFails>(pivot); });
    }

    MATGRAD_DEVICE void copy() const {
        if (static_cast<const void*>(a.data) != lu.data) {
            MATGRAD_NO_UNROLL
            for (int r = warp; r < kOrder; r += kWarps) {
                MATGRAD_NO_UNROLL
                for (int c = lane; c < kOrder; c += kWarp) {
                    lu.set(r, c, static_cast<T>(static_cast<C>(a.get(r, c))));
                }
            }
            Team::sync();
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void factor_panel(int j) const {
        if (warp == 0) {
            WarpColumns<C, kOrder, kWidth> columns;
            columns.read(lu, j, j);
            columns.factor(pivots, j);
            warp_barrier();
            columns.write(lu, j, j);
        }
        Team::sync();
        MATGRAD_NO_UNROLL
        for (int beside = rank; beside < kOrder - kWidth; beside += Team::kThreads) {
            const int col = beside < j ? beside : beside + kWidth;
            swap_rows<kWidth>(j, col);
            if (col > j) {
                solve_column<kWidth>(j, col);
            }
        }
        Team::sync();
        if (j + kWidth < kOrder) {
            update<kWidth>(j, j + kWidth);
            Team::sync();
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void swap_rows(int j, int col) const {
        for (int k = j; k < j + kWidth; ++k) {
            const int other = pivots.get(k, 0);
            if (other != k) {
                const T upper = lu.get(k, col);
                lu.set(k, col, lu.get(other, col));
                lu.set(other, col, upper);
            }
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void solve_column(int j, int col) const {
        C y[kWidth];
        MATGRAD_UNROLL
        for (int i = 0; i < kWidth; ++i) {
            y[i] = static_cast<C>(lu.get(j + i, col));
        }
        MATGRAD_UNROLL
        for (int k = 0; k < kWidth; ++k) {
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                if (i > k) {
                    y[i] -= static_cast<C>(lu.get(j + i, j + k)) * y[k];
                }
            }
        }
        MATGRAD_UNROLL
        for (int i = 1; i < kWidth; ++i) {
            lu.set(j + i, col, static_cast<T>(y[i]));
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void update(int j, int next) const {
        static_assert(kPanel % kTileSide == 0, "squares are whole");
        const int rest = kOrder - next;
        const int wide = (rest + kWarpCols - 1) / kWarpCols;
        const int items = (rest + kWarpRows - 1) / kWarpRows * wide;
        MATGRAD_NO_UNROLL
        for (int item = warp; item < items; item += kWarps) {
            const int r = kWarpRows * (item / wide) + row_of_lane(lane);
            const int c = kWarpCols * (item % wide) + col_of_lane(lane);
            if (r < rest && c < rest) {
                update_square<C, kWidth, false>(lu, lu, lu, next + r, next + c, j);
            }
        }
    }
};

template <typename Team, typename C, bool kZeroFails, typename A, typename LU, typename Pivots>
MATGRAD_DEVICE int getrf(const A& a, const LU& lu, const Pivots& pivots) {
    constexpr int kOrder = A::kRows;
    static_assert(A::kCols == kOrder && LU::kRows == kOrder && LU::kCols == kOrder, "square");
    static_assert(Pivots::kRows == kOrder && Pivots::kCols == 1, "a pivot a row");
    if constexpr (kOrder == 0) {
        return 0;
    } else if constexpr (Team::kThreads == 1) {
        return getrf_by_thread<C, kZeroFails>(a, lu, pivots);
    } else if constexpr (Team::kThreads == kWarp) {
        static_assert(kOrder <= kWarp, "a warp has a row a lane");
        WarpColumns<C, kOrder, kOrder> columns;
        columns.read(a, 0, 0);
        columns.factor(pivots, 0);
        warp_barrier();
        columns.write(lu, 0, 0);
        warp_barrier();
        return first_failing(lu, [](typename LU::Type pivot) {
            return fails_as_divisor<typename LU::Type, kZeroFails>(pivot);
        });
    } else {
        return BlockLu<Team, C, A, LU, Pivots>{a, lu, pivots}.template factor<kZeroFails>();
    }
}

}  // namespace matgrad::block
