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

/// Makes each call with the handle that its lane has: what a handle takes at its first use, it has then.
void use_once(const std::vector<Lane>& lanes, const std::vector<Handles>& handles);

struct Rounds {
    std::int64_t differing = 0;  ///< calls whose results are not those of the serial run
    std::int64_t held = 0;       ///< rounds whose calls all began after the last one was enqueued
    std::int64_t not_held = 0;   ///< rounds in which that was tried: a call waits
    double us = 0;               ///< of a call in those that were held, from the release on
};

/// One call a round on each lane. All streams are held until every call of the round is enqueued, by
/// several threads, and let go together; or, one after the other, all calls go to one stream. Lanes take
/// turns with the handles: one for all, or one for each.
[[nodiscard]] Rounds run_rounds(std::vector<Lane>& lanes, std::size_t rounds,
                                const std::vector<Handles>& handles, bool at_once);

}  // namespace matgrad::probe
