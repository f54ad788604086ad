#pragma once
/// \file A team: the threads that work on one problem of a fused kernel.
///
/// A primitive is called by all threads of a team, and reads what they wrote before the team's last
/// sync(); it ends without one. Inside it may sync.

#include "device.cuh"

namespace matgrad::block {

/// A thread alone. Its values are its own variables.
struct ThreadTeam {
    static constexpr int kThreads = 1;
    MATGRAD_DEVICE static int rank() { return 0; }
    MATGRAD_DEVICE static void sync() {}
};

/// A warp; a block may have several.
struct WarpTeam {
    static constexpr int kThreads = kWarp;
    static constexpr int kMostTeams = 4;
    MATGRAD_DEVICE static int rank() { return thread_index() % kWarp; }
    MATGRAD_DEVICE static void sync() { warp_barrier(); }
};

/// A block of kCount threads, a multiple of a warp.
template <int kCount>
struct BlockTeam {
    static constexpr int kThreads = kCount;
    static constexpr int kMostTeams = 1;
    MATGRAD_DEVICE static int rank() { return thread_index(); }
    MATGRAD_DEVICE static void sync() { barrier(); }
};

/// Of this thread in its block.
template <typename Team>
MATGRAD_DEVICE int team_index() {
    if constexpr (Team::kThreads <= kWarp) {
        return thread_index() / Team::kThreads;
    } else {
        return 0;
    }
}

/// Calls function(i) for i in [0, kCount), each by one thread of the team. The loop of a thread alone is
/// unrolled, so that what i indexes can be registers.
template <typename Team, int kCount, typename Function>
MATGRAD_DEVICE void for_each(const Function& function) {
    if constexpr (Team::kThreads == 1) {
        MATGRAD_UNROLL
        for (int i = 0; i < kCount; ++i) {
            function(i);
        }
    } else {
        for (int i = Team::rank(); i < kCount; i += Team::kThreads) {
            function(i);
        }
    }
}

/// Calls function(i) for i in [0, kCount) in order, by every thread.
template <typename Team, int kCount, typename Function>
MATGRAD_DEVICE void in_order(const Function& function) {
    if constexpr (Team::kThreads == 1) {
        MATGRAD_UNROLL
        for (int i = 0; i < kCount; ++i) {
            function(i);
        }
    } else {
        for (int i = 0; i < kCount; ++i) {
            function(i);
        }
    }
}

}  // namespace matgrad::block
