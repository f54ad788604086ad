#pragma once
/// \file Solutions from LU factors (getrf.cuh) on chip.
///
///     lu_solve<Team, C, kLeft, kTransposed>(lu, pivots, b, out)
///         out = op(A)^-1 * b, or b * op(A)^-1 from the right
///     lu_inverse<Team, C, kTransposed>(lu, pivots, out)
///         out = op(A)^-1
///
/// Who      every thread of the team, with equal arguments
/// Memory   reads lu, pivots and b; out may be b, and is no memory of lu
/// Sync     lu, pivots and b are complete before; out is after the team's next sync(). Inside one.
/// Scratch  none: what is between is in out, rounded to its type
///
/// Computes in C; of what divides by the diagonal, and in which order, trsm.cuh tells.

#include "trsm.cuh"

namespace matgrad::block {

/// The swaps of rows that getrf has made, in their order or backwards.
template <typename Pivots, bool kBackwards>
struct Swaps {
    static constexpr int kOrder = Pivots::kRows;
    const Pivots& pivots;

    /// By a thread, in registers.
    template <typename T>
    MATGRAD_DEVICE void of_array(T (&x)[kOrder]) const {
        MATGRAD_UNROLL
        for (int i = 0; i < kOrder; ++i) {
            const int k = kBackwards ? kOrder - 1 - i : i;
            const int other = pivots.get(k, 0);
            MATGRAD_UNROLL
            for (int r = 0; r < kOrder; ++r) {
                if (r > k) {
                    const T upper = x[k];
                    x[k] = other == r ? x[r] : upper;
                    x[r] = other == r ? upper : x[r];
                }
            }
        }
    }

    template <typename X>
    MATGRAD_DEVICE void of_column(const X& x, int c) const {
        using T = typename X::Type;
        if constexpr (X::kSpace == Space::own) {
            T column[kOrder];
            MATGRAD_UNROLL
            for (int r = 0; r < kOrder; ++r) {
                column[r] = x.get(r, c);
            }
            of_array(column);
            MATGRAD_UNROLL
            for (int r = 0; r < kOrder; ++r) {
                x.set(r, c, column[r]);
            }
        } else {
            for (int i = 0; i < kOrder; ++i) {
                const int k = kBackwards ? kOrder - 1 - i : i;
                const int other = pivots.get(k, 0);
                if (other != k) {
                    const T upper = x.get(k, c);
                    x.set(k, c, x.get(other, c));
                    x.set(other, c, upper);
                }
            }
        }
    }
};

/// From the left; kIdentity: b is not looked at.
template <typename Team, typename C, bool kTransposed, bool kIdentity, typename LU, typename Pivots,
          typename B, typename X>
MATGRAD_DEVICE void lu_solve_from_left(const LU& lu, const Pivots& pivots, const B& b, const X& x) {
    if constexpr (X::kCount > 0) {
        const C one = 1;
        if constexpr (kTransposed) {
            // A' = U' L' P, where P are the swaps.
            if constexpr (kIdentity) {
                invert_from_left<Team, C, true, false>(one, lu.t(), x);
            } else {
                solve_from_left<Team, C, true, false>(one, lu.t(), b, x);
            }
            solve_from_left<Team, C, false, true>(one, lu.t(), x, x);
            Team::sync();
            for_each<Team, X::kCols>([&](int c) { Swaps<Pivots, true>{pivots}.of_column(x, c); });
        } else if constexpr (kIdentity) {
            // The inverse of L alone has zeros that need no work: the swaps are of the columns, in the end.
            invert_from_left<Team, C, true, true>(one, lu, x);
            solve_from_left<Team, C, false, false>(one, lu, x, x);
            Team::sync();
            for_each<Team, X::kRows>(
                [&](int r) { Swaps<Pivots, true>{pivots}.of_column(x.t(), r); });
        } else {
            for_each<Team, X::kCols>([&](int c) {
                in_order<Team, X::kRows>([&](int r) {
                    x.set(r, c, static_cast<typename X::Type>(static_cast<C>(b.get(r, c))));
                });
                Swaps<Pivots, false>{pivots}.of_column(x, c);
            });
            Team::sync();
            solve_from_left<Team, C, true, true>(one, lu, x, x);
            solve_from_left<Team, C, false, false>(one, lu, x, x);
        }
    }
}

template <typename Team, typename C, bool kLeft, bool kTransposed, typename LU, typename Pivots,
          typename B, typename Out>
MATGRAD_DEVICE void lu_solve(const LU& lu, const Pivots& pivots, const B& b, const Out& out) {
    if constexpr (kLeft) {
        lu_solve_from_left<Team, C, kTransposed, false>(lu, pivots, b, out);
    } else {
        lu_solve_from_left<Team, C, !kTransposed, false>(lu, pivots, b.t(), out.t());
    }
}

template <typename Team, typename C, bool kTransposed, typename LU, typename Pivots, typename Out>
MATGRAD_DEVICE void lu_inverse(const LU& lu, const Pivots& pivots, const Out& out) {
    lu_solve_from_left<Team, C, kTransposed, true>(lu, pivots, out, out);
}

}  // namespace matgrad::block
