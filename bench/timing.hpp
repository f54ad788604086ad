#pragma once
/// \file Repeated measurements: warmed up, then a median with its quartiles.

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace matgrad::bench {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Seconds of one call.
struct Timing {
    double seconds = kNone;            ///< median
    double low = kNone, high = kNone;  ///< quartiles
    std::int64_t repeats = 0;
    double enqueue_seconds = kNone;  ///< of the host, on a GPU
};

/// Quartiles by linear interpolation between the order statistics. `samples` is not empty.
[[nodiscard]] Timing summarise(std::vector<double> samples);

/// The clock of a GPU that had nothing to do is low: it is kept busy for as long before it is measured.
inline constexpr double kWarmUpOfAGpu = 0.1;

/// How long is measured, and who may end it.
struct Pace {
    double seconds = 1;
    std::function<void()> check_stop = [] {};  ///< throws to end the run
    double warm_up_of_a_gpu = kWarmUpOfAGpu;   ///< seconds
};

/// Seconds of the host since `start`.
using Clock = std::chrono::steady_clock;
[[nodiscard]] inline double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// How blocks are made.
struct Blocks {
    double warm_up;   ///< at least as many seconds of the host go by before the first one counts
    double shortest;  ///< seconds, so that what the clock itself costs does not show
};

/// Measures a block of calls: `block(count)` makes that many and gives the seconds they took. Blocks
/// are long enough for the clock; there are at least 5, and as many as the time allows, unless one
/// takes so long that the time is over many times.
[[nodiscard]] Timing measure(const std::function<double(std::int64_t count)>& block,
                             const Pace& pace, const Blocks& blocks);

/// Measures a call on the processor. `call(k)` uses copy k of `copies`, in turn.
[[nodiscard]] Timing measure_calls(const std::function<void(std::int64_t copy)>& call,
                                   std::int64_t copies, const Pace& pace);

}  // namespace matgrad::bench
