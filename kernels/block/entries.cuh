#pragma once
/// \file Entry by entry: maps, copies and reductions of matrices on chip.

#include "matrix.cuh"
#include "reduce.cuh"
#include "team.cuh"

namespace matgrad::block {

/// Calls function(r, c) for every entry of kRows x kCols, by one thread each.
template <typename Team, int kRows, int kCols, typename Function>
MATGRAD_DEVICE void for_each_entry(const Function& function) {
    if constexpr (kRows > 0 && kCols > 0) {
        for_each<Team, kRows * kCols>([&](int i) { function(i / kCols, i % kCols); });
    }
}

/// out(r, c) = value(r, c). `out` may be what `value` reads at (r, c) alone.
template <typename Team, typename Out, typename Value>
MATGRAD_DEVICE void set_each(const Out& out, const Value& value) {
    for_each_entry<Team, Out::kRows, Out::kCols>(
        [&](int r, int c) { out.set(r, c, static_cast<typename Out::Type>(value(r, c))); });
}

/// Joins the numbers of kLanes neighbouring threads of a warp, the first a multiple of kLanes: to all of them.
/// All threads of the warp call it.
template <typename Operation, int kLanes, typename T>
MATGRAD_DEVICE T join_lanes(T mine) {
    MATGRAD_UNROLL
    for (int half = kLanes / 2; half > 0; half /= 2) {
        mine = Operation::join(mine, from_neighbour(mine, half));
    }
    if constexpr (kLanes > 1) {
        mine = from_lane(mine, thread_index() % kWarp / kLanes * kLanes);
    }
    return mine;
}

/// Joins the numbers of all threads of the team: to all of them.
///
/// Sync     a team of several warps syncs before and after
/// Order    fixed
template <typename Team, typename Operation, typename T>
MATGRAD_DEVICE T join_team(T mine) {
    if constexpr (Team::kThreads == 1) {
        return mine;
    } else if constexpr (Team::kThreads <= kWarp) {
        return join_lanes<Operation, kWarp>(mine);
    } else {
        constexpr int kWarps = Team::kThreads / kWarp;
        MATGRAD_SHARED(T, of_warps, kWarps);
        mine = join_lanes<Operation, kWarp>(mine);
        if (thread_index() % kWarp == 0) {
            store_shared(&of_warps[thread_index() / kWarp], mine);
        }
        Team::sync();
        T joined = load_shared(&of_warps[0]);
        MATGRAD_UNROLL
        for (int i = 1; i < kWarps; ++i) {
            joined = Operation::join(joined, load_shared(&of_warps[i]));
        }
        Team::sync();
        return joined;
    }
}

/// value(i) for i in [0, kLength) joined, to every thread of the team.
template <typename Team, typename Operation, typename T, int kLength, typename Value>
MATGRAD_DEVICE T reduce_all(const Value& value) {
    T mine = Operation::template empty<T>();
    for_each<Team, kLength>([&](int i) { mine = Operation::join(mine, static_cast<T>(value(i))); });
    return join_team<Team, Operation>(mine);
}

/// The Euclidean norm of kLength numbers, to every thread of the team: squares are scaled where their sum is
/// out of range.
template <typename Team, typename T, int kLength, typename Value>
MATGRAD_DEVICE T norm_of_all(const Value& value) {
    using Range = NormRange<T>;
    const auto squares = [&](T factor) {
        return reduce_all<Team, Sum, T, kLength>([&](int i) {
            const T x = factor * static_cast<T>(value(i));
            return x * x;
        });
    };
    const T sum = squares(T(1));
    if (sum > Range::kMost) {
        return sqrt(squares(T(1) / Range::kUp)) * Range::kUp;
    }
    if (sum < Range::kLeast) {
        return sqrt(squares(Range::kUp)) / Range::kUp;
    }
    return sqrt(sum);
}

/// Lanes that share a result, where a team has more threads than there are results.
MATGRAD_DEVICE constexpr int lanes_each(int results, int length, int threads) {
    int lanes = 1;
    while (lanes < kWarp && lanes * 2 <= length && results * lanes * 2 <= threads) {
        lanes *= 2;
    }
    return lanes;
}

/// For each of kResults results: finish(i, value(i, 0), ..., value(i, kLength - 1) joined), by one thread.
///
/// Order    fixed
template <typename Team, typename Operation, typename T, int kResults, int kLength, typename Value,
          typename Finish>
MATGRAD_DEVICE void reduce_each(const Value& value, const Finish& finish) {
    if constexpr (kResults > 0) {
        constexpr int kLanes = lanes_each(kResults, kLength, Team::kThreads);
        const auto one = [&](int i, int lane, bool inside) {
            T mine = Operation::template empty<T>();
            if constexpr (Team::kThreads == 1) {
                MATGRAD_UNROLL
                for (int k = 0; k < kLength; ++k) {
                    mine = Operation::join(mine, static_cast<T>(value(i, k)));
                }
            } else {
                for (int k = lane; inside && k < kLength; k += kLanes) {
                    mine = Operation::join(mine, static_cast<T>(value(i, k)));
                }
            }
            mine = join_lanes<Operation, kLanes>(mine);
            if (inside && lane == 0) {
                finish(i, mine);
            }
        };
        if constexpr (kLanes == 1) {
            for_each<Team, kResults>([&](int i) { one(i, 0, true); });
        } else {
            // One round, in which all threads join.
            const int i = Team::rank() / kLanes;
            one(i < kResults ? i : 0, Team::rank() % kLanes, i < kResults);
        }
    }
}

/// 1 if the number of ones is odd, else 0.
struct Parity {
    template <typename T>
    MATGRAD_DEVICE static T empty() {
        return T(0);
    }
    template <typename T>
    MATGRAD_DEVICE static T join(T x, T y) {
        return x ^ y;
    }
};

}  // namespace matgrad::block
