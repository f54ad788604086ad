#pragma once
/// \file What the warps of a launch do to memory, counted as hardware would: a profile that needs no GPU.

#include <cstdint>
#include <string>
#include <vector>

namespace matgrad::simulated {

/// Accesses of warps: what the threads of a warp do at one place of the text, each for the same time
/// since the warp's last barrier, is one.
struct WarpAccesses {
    std::int64_t accesses = 0;
    std::int64_t lanes = 0;    ///< threads that took part
    std::int64_t partial = 0;  ///< accesses without some threads of the warp: a branch, or a tail
    /// Device memory: sectors of 32 bytes. Block memory: wavefronts, of which a half of a warp needs one
    /// where a thread has 8 bytes, a quarter where it has 16; more where words are in the same bank.
    std::int64_t transfers = 0;
    /// The same if each access were to neighbouring bytes, as many as it is to, or without conflicts.
    std::int64_t least_transfers = 0;

    WarpAccesses& operator+=(const WarpAccesses& other) {
        accesses += other.accesses;
        lanes += other.lanes;
        partial += other.partial;
        transfers += other.transfers;
        least_transfers += other.least_transfers;
        return *this;
    }
};

enum class AccessKind { load, store, shared_load, shared_store };

/// Accesses at one place of the text.
struct PlaceProfile {
    std::string file, function;
    int line = 0, column = 0;
    AccessKind kind = AccessKind::load;
    int bytes = 0;  ///< of a thread
    WarpAccesses all;
};

/// Sums over the blocks that were profiled. An atomic addition is a load and a store. Accesses to block
/// memory are those by load_shared and store_shared.
struct Profile {
    std::int64_t blocks = 0;
    WarpAccesses loads, stores;  ///< of device memory
    WarpAccesses shared_loads, shared_stores;
    /// Of device memory: a byte that a block loads (stores) often is one.
    std::int64_t distinct_load_bytes = 0, distinct_store_bytes = 0;
    std::int64_t barriers = 0;         ///< of blocks
    std::int64_t warp_barriers = 0;    ///< of warps
    std::int64_t shuffles = 0;         ///< of warps
    std::vector<PlaceProfile> places;  ///< the one with most transfers first
};

}  // namespace matgrad::simulated
