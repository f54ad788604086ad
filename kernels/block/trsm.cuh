#pragma once
/// \file Triangular systems on chip.
///
///     trsm<Team, C, kLeft, kLower, kTransposed>(alpha, triangle, b, out)
///         out = alpha * op(T)^-1 * b, or alpha * b * op(T)^-1 from the right
///     trsm_identity<Team, C, kLeft, kLower, kTransposed>(alpha, triangle, out)
///         out = alpha * op(T)^-1
///
/// Who      every thread of the team, with equal arguments
/// Memory   reads the triangle that kLower names of the stored T, and b; out may be b
/// Sync     T and b are complete before; out is after the team's next sync(). None inside.
/// Scratch  none
///
/// Computes in C, by the reciprocals of the diagonal: where one overflows, so does the result. Entries
/// already solved for are read back from out, rounded to its type.
///
/// All forms are one: T lower, from the left, b as columns. The transposes of all three come from the
/// right, and an upper triangle is a lower one counted from its last row.

#include "matrix.cuh"
#include "team.cuh"

namespace matgrad::block {

/// Row r of it is row kRows-1-r of the other; so with columns too.
template <typename T, int kRows, int kCols, int kRowStride, int kColStride, Space kWhere>
MATGRAD_DEVICE auto rows_reversed(
    const Matrix<T, kRows, kCols, kRowStride, kColStride, kWhere>& m) {
    return Matrix<T, kRows, kCols, -kRowStride, kColStride, kWhere>{m.data +
                                                                    (kRows - 1) * kRowStride};
}
template <typename T, int kRows, int kCols, int kRowStride, int kColStride, Space kWhere>
MATGRAD_DEVICE auto both_reversed(
    const Matrix<T, kRows, kCols, kRowStride, kColStride, kWhere>& m) {
    return Matrix<T, kRows, kCols, -kRowStride, -kColStride, kWhere>{
        m.data + (kRows - 1) * kRowStride + (kCols - 1) * kColStride};
}

/// Right-hand sides that take no memory. Reversed, row r is that of kOrder-1-r.
template <int kOrder, bool kReversed>
struct Identity {
    static constexpr bool kIsIdentity = true;
    MATGRAD_DEVICE static constexpr int row_of_one(int c) { return kReversed ? kOrder - 1 - c : c; }
    MATGRAD_DEVICE static int get(int r, int c) { return r == row_of_one(c) ? 1 : 0; }
    /// Rows before have zeros in columns first..last.
    MATGRAD_DEVICE static constexpr int first_row(int first, int last) {
        return row_of_one(kReversed ? last : first);
    }
};
template <typename M>
struct Sides : M {
    static constexpr bool kIsIdentity = false;
    MATGRAD_DEVICE static constexpr int first_row(int, int) { return 0; }
};

MATGRAD_DEVICE constexpr int power_of_two_up_to(int x) {
    return x < 2 ? 1 : 2 * power_of_two_up_to(x / 2);
}

template <typename C, bool kUnit, typename L, typename B, typename X>
MATGRAD_DEVICE void substitute_by_thread(C alpha, const L& l, const B& b, const X& x) {
    constexpr int kOrder = X::kRows;
    C inverse[kOrder];
    MATGRAD_UNROLL
    for (int k = 0; k < kOrder; ++k) {
        inverse[k] = kUnit ? C(1) : C(1) / static_cast<C>(l.get(k, k));
    }
    MATGRAD_UNROLL
    for (int c = 0; c < X::kCols; ++c) {
        const int first = B::first_row(c, c);
        C y[kOrder];
        MATGRAD_UNROLL
        for (int i = 0; i < kOrder; ++i) {
            y[i] = i < first ? C(0) : alpha * static_cast<C>(b.get(i, c));
        }
        MATGRAD_UNROLL
        for (int k = 0; k < kOrder; ++k) {
            if (k >= first) {
                y[k] = kUnit ? y[k] : y[k] * inverse[k];
                MATGRAD_UNROLL
                for (int i = 0; i < kOrder; ++i) {
                    if (i > k) {
                        y[i] -= static_cast<C>(l.get(i, k)) * y[k];
                    }
                }
            }
        }
        MATGRAD_UNROLL
        for (int i = 0; i < kOrder; ++i) {
            x.set(i, c, static_cast<typename X::Type>(y[i]));
        }
    }
}

/// Sides are solved for side by side. kShare lanes have kSides of them, a power of two at most kShare:
/// each lane adds up every kShare-th product of all kSides, then lane s of them has side s % kSides to
/// itself. So an entry of T that is read serves kSides products, and few sides have many threads.
template <typename Team, typename C, bool kUnit, typename L, typename B, typename X>
struct Substitution {
    static constexpr int kOrder = X::kRows;
    static constexpr int kCount = X::kCols;
    static constexpr int kPanel = kOrder < 16 ? kOrder : 16;
    static constexpr int kWide = sizeof(C) == 8 ? 2 : 4;  ///< kSides that registers allow
    static constexpr int kIdle =
        power_of_two_up_to(Team::kThreads / kCount < kWarp ? Team::kThreads / kCount : kWarp);
    static constexpr bool kIsWide = kOrder > 32 && kWide* kIdle <= kWarp;
    static constexpr int kSides = kIsWide ? kWide : 1;
    static constexpr int kShare = kOrder <= kPanel ? 1 : kIdle * kSides;
    static constexpr int kOfWarp = kWarp / kShare * kSides;  ///< sides of a warp at a time
    static constexpr int kOfTeam = Team::kThreads / kWarp * kOfWarp;

    C alpha;
    const L& l;
    const B& b;
    const X& x;
    int lane = Team::rank() % kWarp;
    int part = lane % kShare;
    // Of the sides of this turn:
    int first = 0;      ///< that this lane's group has
    int own = 0;        ///< that this lane has in the end, or another where there are no more
    bool owns = false;  ///< and writes
    int begin = 0;      ///< rows before are zeros in all of the warp's

    MATGRAD_DEVICE void solve() {
        MATGRAD_NO_UNROLL
        for (int of_warp = Team::rank() / kWarp * kOfWarp; of_warp < kCount; of_warp += kOfTeam) {
            const int last = of_warp + kOfWarp - 1;
            first = of_warp + lane / kShare * kSides;
            own = at_most_last(first + part % kSides);
            owns = part < kSides && first + part < kCount;
            begin = B::first_row(of_warp, at_most_last(last));
            MATGRAD_NO_UNROLL
            for (int j = 0; j + kPanel <= kOrder; j += kPanel) {
                solve_panel<kPanel>(j);
            }
            if constexpr (kOrder % kPanel != 0) {
                solve_panel<kOrder % kPanel>(kOrder - kOrder % kPanel);
            }
        }
    }

    MATGRAD_DEVICE static int at_most_last(int side) { return side < kCount ? side : kCount - 1; }

    template <int kWidth>
    MATGRAD_DEVICE void solve_panel(int j) const {
        C y[kWidth];
        if (j + kWidth <= begin) {
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                y[i] = 0;
            }
        } else {
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                y[i] = alpha * static_cast<C>(b.get(j + i, own));
            }
            take_away_products<kWidth>(y, j);
            solve_square<kWidth>(y, j);
        }
        if constexpr (kShare > kSides) {
            warp_barrier();  // several lanes have read what one overwrites
        }
        if (owns) {
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                x.set(j + i, own, static_cast<typename X::Type>(y[i]));
            }
        }
        if constexpr (kShare > 1) {
            warp_barrier();
        }
    }

    /// Of the rows before j.
    template <int kWidth>
    MATGRAD_DEVICE void take_away_products(C (&y)[kWidth], int j) const {
        if constexpr (kOrder > kPanel) {
            int sides[kSides];
            C sums[kSides][kWidth];
            MATGRAD_UNROLL
            for (int q = 0; q < kSides; ++q) {
                sides[q] = at_most_last(first + q);
                MATGRAD_UNROLL
                for (int i = 0; i < kWidth; ++i) {
                    sums[q][i] = 0;
                }
            }
            MATGRAD_NO_UNROLL
            for (int k = begin + part; k < j; k += kShare) {
                C solved[kSides];
                MATGRAD_UNROLL
                for (int q = 0; q < kSides; ++q) {
                    solved[q] = static_cast<C>(x.get(k, sides[q]));
                }
                MATGRAD_UNROLL
                for (int i = 0; i < kWidth; ++i) {
                    const C entry = static_cast<C>(l.get(j + i, k));
                    MATGRAD_UNROLL
                    for (int q = 0; q < kSides; ++q) {
                        sums[q][i] += entry * solved[q];
                    }
                }
            }
            add_up<kWidth>(sums);
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                y[i] -= sums[0][i];
            }
        }
    }

    /// Over the lanes of a group; sums[0] is that of the lane's own side in the end.
    template <int kWidth>
    MATGRAD_DEVICE void add_up(C (&sums)[kSides][kWidth]) const {
        MATGRAD_UNROLL
        for (int half = kSides / 2; half > 0; half /= 2) {
            // Of each pair of lanes one goes on with one half of the sides, one with the other.
            const bool upper = (part & half) != 0;
            MATGRAD_UNROLL
            for (int q = 0; q < kSides / 2; ++q) {
                if (q < half) {
                    MATGRAD_UNROLL
                    for (int i = 0; i < kWidth; ++i) {
                        const C theirs = upper ? sums[q][i] : sums[q + half][i];
                        const C mine = upper ? sums[q + half][i] : sums[q][i];
                        sums[q][i] = mine + from_lane(theirs, lane ^ half);
                    }
                }
            }
        }
        MATGRAD_UNROLL
        for (int distance = kSides; distance < kShare; distance *= 2) {
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                sums[0][i] += from_lane(sums[0][i], lane ^ distance);
            }
        }
    }

    template <int kWidth>
    MATGRAD_DEVICE void solve_square(C (&y)[kWidth], int j) const {
        C inverse = 1;
        if constexpr (!kUnit) {
            const int diagonal = j + lane % kWidth;
            inverse = C(1) / static_cast<C>(l.get(diagonal, diagonal));
        }
        MATGRAD_UNROLL
        for (int k = 0; k < kWidth; ++k) {
            if constexpr (!kUnit) {
                y[k] *= from_lane(inverse, k);
            }
            MATGRAD_UNROLL
            for (int i = 0; i < kWidth; ++i) {
                if (i > k) {
                    y[i] -= static_cast<C>(l.get(j + i, j + k)) * y[k];
                }
            }
        }
    }
};

/// x = alpha * L^-1 * b; kUnit: the diagonal of L is 1, whatever is stored there.
///
/// Two calls whose x are equal in shape have the same thread, or warp, for an entry of x: only what other
/// warps are to read has to wait for a sync.
template <typename Team, typename C, bool kUnit, typename L, typename B, typename X>
MATGRAD_DEVICE void substitute(C alpha, const L& l, const B& b, const X& x) {
    if constexpr (X::kRows > 0 && X::kCols > 0) {
        if constexpr (Team::kThreads == 1) {
            substitute_by_thread<C, kUnit>(alpha, l, b, x);
        } else {
            Substitution<Team, C, kUnit, L, B, X>{alpha, l, b, x}.solve();
        }
    }
}

/// The same for any triangle from the left; `Rhs` is a matrix, or void for the identity.
template <typename Team, typename C, bool kLower, bool kUnit, typename T, typename B, typename X>
MATGRAD_DEVICE void solve_from_left(C alpha, const T& triangle, const B& b, const X& x) {
    if constexpr (kLower) {
        substitute<Team, C, kUnit>(alpha, triangle, Sides<B>{b}, x);
    } else {
        const auto reversed = rows_reversed(b);
        substitute<Team, C, kUnit>(alpha, both_reversed(triangle),
                                   Sides<decltype(rows_reversed(b))>{reversed}, rows_reversed(x));
    }
}
template <typename Team, typename C, bool kLower, bool kUnit, typename T, typename X>
MATGRAD_DEVICE void invert_from_left(C alpha, const T& triangle, const X& x) {
    if constexpr (kLower) {
        substitute<Team, C, kUnit>(alpha, triangle, Identity<X::kRows, false>{}, x);
    } else {
        substitute<Team, C, kUnit>(alpha, both_reversed(triangle), Identity<X::kRows, true>{},
                                   rows_reversed(x));
    }
}

template <typename Team, typename C, bool kLeft, bool kLower, bool kTransposed, typename T,
          typename B, typename Out>
MATGRAD_DEVICE void trsm(C alpha, const T& triangle, const B& b, const Out& out) {
    if constexpr (!kLeft) {
        trsm<Team, C, true, kLower, !kTransposed>(alpha, triangle, b.t(), out.t());
    } else if constexpr (kTransposed) {
        solve_from_left<Team, C, !kLower, false>(alpha, triangle.t(), b, out);
    } else {
        solve_from_left<Team, C, kLower, false>(alpha, triangle, b, out);
    }
}

template <typename Team, typename C, bool kLeft, bool kLower, bool kTransposed, typename T,
          typename Out>
MATGRAD_DEVICE void trsm_identity(C alpha, const T& triangle, const Out& out) {
    // From either side it is the inverse; kLeft is there for the caller's ease.
    if constexpr (kTransposed) {
        invert_from_left<Team, C, !kLower, false>(alpha, triangle.t(), out);
    } else {
        invert_from_left<Team, C, kLower, false>(alpha, triangle, out);
    }
}

}  // namespace matgrad::block
