#pragma once
/// \file Calls on several streams at once, their results compared with those of a serial run.

#include "call.hpp"

namespace matgrad::probe {

inline constexpr std::size_t kLanes = 8;    ///< streams
inline constexpr std::size_t kThreads = 4;  ///< that enqueue, each on its own streams

/// A stream with its workspace and calls, and what a serial run of them gives.
struct Lane {
    Stream stream;
    Buffer workspace{Handles::kWorkspaceBytes};
    std::vector<CallPointer> calls;
    std::vector<std::vector<Buffer>> expected;
    Buffer differs;  ///< an int for each round
};

/// Makes the calls of a lane; other seeds, other operands.
using MakeCalls =
    std::function<std::vector<CallPointer>(const Handles&, const Stream&, std::uint64_t seed)>;

/// Makes each call once, alone.
[[nodiscard]] std::vector<Lane> make_lanes(const Handles& handles, const MakeCalls& make,
                                           std::size_t rounds);

/// Calls whose results are not those of the serial run: one call a round on each lane, nobody waits for
/// the device. Lanes take turns with the handles: one for all, or one for each.
[[nodiscard]] std::int64_t count_differing(std::vector<Lane>& lanes, std::size_t rounds,
                                           const std::vector<Handles>& handles);

}  // namespace matgrad::probe
