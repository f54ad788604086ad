#pragma once
/// \file The condition of a lower triangle on chip: a cheap bound, and where that says nothing an estimate.

#include "entries.cuh"
#include "failure_kind.cuh"

namespace matgrad::block {

/// At least max|row sums| of L times max|row sums| of inv(L), by one substitution with the matrix that has
/// the absolute entries of L, the diagonal positive and all others negative. Not finite, or a NaN, where L is not
/// finite.
///
/// Who      every thread of the team; returns to all of them
/// Sync     once a row in a team of several warps
/// Memory   `solution`: n numbers, of a team of several warps alone
template <typename Team, typename L>
MATGRAD_DEVICE double condition_bound(const L& l, double* solution) {
    constexpr int n = L::kRows;
    constexpr int kThreads = Team::kThreads;
    constexpr int kEach = (n + kThreads - 1) / kThreads;
    // Row r is of the thread of rank r % kThreads: sums of |entry| times solution, and of |entry|.
    double sums[kEach] = {};
    double lengths[kEach] = {};
    double largest = 0;
    in_order<Team, n>([&](int k) {
        const double pivot = fabs(static_cast<double>(l.get(k, k)));
        double known = 0;
        MATGRAD_UNROLL
        for (int e = 0; e < kEach; ++e) {
            known = k / kThreads == e ? (1 + sums[e]) / pivot : known;
        }
        if constexpr (kThreads == kWarp) {
            known = from_lane(known, k % kThreads);
        } else if constexpr (kThreads > kWarp) {
            if (Team::rank() == k % kThreads) {
                store_shared(solution + k, known);
            }
            Team::sync();
            known = load_shared(solution + k);
        }
        largest = max(largest, known);
        MATGRAD_UNROLL
        for (int e = 0; e < kEach; ++e) {
            const int r = Team::rank() + e * kThreads;
            if (r >= k && r < n) {
                const double entry = fabs(static_cast<double>(l.get(r, k)));
                sums[e] += entry * known;
                lengths[e] += entry;
            }
        }
    });
    double longest = 0;
    MATGRAD_UNROLL
    for (int e = 0; e < kEach; ++e) {
        longest = max(longest, lengths[e]);
    }
    return largest * join_team<Team, Max>(longest);
}

/// At most the condition in the 2-norm, most often at least a third of it: the norm of the inverse from two
/// substitutions with a right-hand side that makes the solution grow, that of the triangle from two products.
///
/// Who      every thread of the team; returns to all of them
/// Memory   x and y: n x 1, of this team alone
template <typename Team, typename L, typename X, typename Y>
MATGRAD_DEVICE double condition_estimate(const L& l, const X& x, const Y& y) {
    constexpr int n = L::kRows;
    const auto entry = [&](int r, int c) { return static_cast<double>(l.get(r, c)); };
    double before = 0;
    in_order<Team, n>([&](int i) {
        const double sum = reduce_all<Team, Sum, double, n>(
            [&](int j) { return j < i ? entry(i, j) * x.get(j, 0) : 0.0; });
        const double solution = -(sum + copysign(1.0, sum)) / entry(i, i);
        before += solution * solution;
        if (Team::rank() == i % Team::kThreads) {
            x.set(i, 0, solution);
        }
        Team::sync();
    });
    double after = 0;
    in_order<Team, n>([&](int step) {
        const int i = n - 1 - step;
        const double solution = x.get(i, 0) / entry(i, i);
        after += solution * solution;
        for_each<Team, n>([&](int j) {
            if (j < i) {
                x.set(j, 0, x.get(j, 0) - entry(i, j) * solution);
            }
        });
        Team::sync();
    });
    const auto square = [](double a) { return a * a; };
    const double start = reduce_all<Team, Sum, double, n>([&](int j) {
        double sum = 0;
        in_order<Team, n>([&](int i) { sum += i >= j ? square(entry(i, j)) : 0; });
        x.set(j, 0, sum);
        return square(sum);
    });
    Team::sync();
    const double once = reduce_all<Team, Sum, double, n>([&](int i) {
        double sum = 0;
        in_order<Team, n>([&](int j) { sum += j <= i ? entry(i, j) * x.get(j, 0) : 0; });
        y.set(i, 0, sum);
        return square(sum);
    });
    Team::sync();
    const double twice = reduce_all<Team, Sum, double, n>([&](int j) {
        double sum = 0;
        in_order<Team, n>([&](int i) { sum += i >= j ? entry(i, j) * y.get(i, 0) : 0; });
        return square(sum);
    });
    return sqrt(after / before * max(once / start, twice / once));
}

/// Room for two vectors of n numbers of each team of a block.
template <typename Team, int n>
struct ConditionVectors {
    using Vector = Tile<double, n, 1>;
};
template <int n>
struct ConditionVectors<ThreadTeam, n> {
    using Vector = Own<double, n, 1>;
};

/// Nobody makes a better factor.
struct NoBetter {
    MATGRAD_DEVICE bool operator()() const { return false; }
};

/// What conditions a factor bears: see program/gram_limits.hpp.
struct ConditionLimits {
    double bound;     ///< conditions below it need no estimate
    double estimate;  ///< estimates up to it need no better factor
    double far;       ///< up to here a better factor can be made
};

/// `found` where a factorization has failed; else 0, or the status of what is ill-conditioned: where the condition
/// of the factor is above the limits and better() makes no better one.
///
/// Who      every thread of the team; returns to all of them
template <typename Team, typename L, typename Better>
MATGRAD_DEVICE int with_care(int found, const L& l, const ConditionLimits& limits,
                             const Better& better) {
    constexpr int n = L::kRows;
    constexpr int kIll = static_cast<int>(StatusKind::ill_conditioned) << detail::kStatusKindBits;
    using Vector = typename ConditionVectors<Team, n>::Vector;
    if (found != 0) {
        return found;
    }
    Team::sync();
    double estimate = 0;
    if constexpr (Team::kThreads == 1) {
        double x[n];
        double y[n];
        if (condition_bound<Team>(l, x) < limits.bound) {
            return 0;
        }
        estimate = condition_estimate<Team>(l, Vector{x}, Vector{y});
    } else {
        MATGRAD_SHARED(double, vectors, 2 * n * Team::kMostTeams);
        double* const own = vectors + 2 * n * team_index<Team>();
        if (condition_bound<Team>(l, own) < limits.bound) {
            return 0;
        }
        Team::sync();
        estimate = condition_estimate<Team>(l, Vector{own}, Vector{own + n});
        Team::sync();
    }
    return estimate <= limits.estimate || (estimate <= limits.far && better()) ? 0 : kIll;
}

}  // namespace matgrad::block
