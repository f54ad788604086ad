#pragma once
/// \file Makes the profile of a launch from what its threads do, one after the other.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "simulated_gpu/kernel_state.hpp"
#include "simulated_gpu/profile.hpp"

namespace matgrad::simulated {

struct LaneAddress {
    int lane;
    std::uintptr_t address;
};

class Profiler {
public:
    /// `grid` blocks of `threads`. None is profiled unless `is_on`.
    void start_launch(bool is_on, unsigned grid, unsigned threads);
    /// True if this block is in the sample: the first four, and the last.
    bool start_block(long long index);
    void record(AccessKind kind, const CallSite* site, const void* address, std::size_t bytes,
                int thread);
    /// All threads of the warp have come to a barrier.
    void pass_barrier(std::size_t warp, Barrier kind);
    /// All threads of the block have come to a barrier.
    void pass_block_barrier();
    void end_block();
    [[nodiscard]] std::optional<Profile> take();

private:
    struct Key {
        const CallSite* site;
        AccessKind kind;
        std::size_t bytes;
        bool operator<(const Key& other) const {
            return std::tie(site, kind, bytes) < std::tie(other.site, other.kind, other.bytes);
        }
    };
    /// By lane: addresses since the last barrier, in the order of their accesses.
    using Lanes = std::vector<std::vector<std::uintptr_t>>;
    /// By sector: which of its bytes a block touched.
    using Touched = std::unordered_map<std::uintptr_t, std::uint32_t>;

    void match(std::size_t warp);

    bool is_on_ = false;
    bool is_sampled_ = false;
    unsigned grid_ = 0, threads_ = 0;
    Profile profile_;
    std::int64_t exchanges_ = 0;
    std::map<Key, WarpAccesses> places_;
    std::vector<std::map<Key, Lanes>> warps_;
    std::vector<LaneAddress> at_once_;
    Touched loaded_, stored_;
};

/// The sectors that an access of a warp to device memory moves; the wavefronts of one to block memory.
[[nodiscard]] WarpAccesses count_sectors(const std::vector<LaneAddress>& lanes, std::size_t bytes);
[[nodiscard]] WarpAccesses count_wavefronts(const std::vector<LaneAddress>& lanes,
                                            std::size_t bytes);

}  // namespace matgrad::simulated
