#include "bench/timing.hpp"

#include <algorithm>
#include <cmath>

namespace matgrad::bench {
namespace {

constexpr double kShortestOnTheHost = 2e-4;  // the clock's own cost is then below 1/1000
constexpr int kLeastRepeats = 5;
constexpr double kPatience = 4;  // times the seconds asked for

double quantile(const std::vector<double>& sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

/// Warms up, and finds how many calls make a block.
std::int64_t block_size(const std::function<double(std::int64_t)>& block, const Pace& pace,
                        const Blocks& blocks) {
    const Clock::time_point start = Clock::now();
    std::int64_t count = 1;
    for (;;) {
        const double seconds = block(count);
        pace.check_stop();
        if (seconds < blocks.shortest) {
            const double factor = 1.5 * blocks.shortest / std::max(seconds, blocks.shortest / 64);
            count =
                static_cast<std::int64_t>(static_cast<double>(count) * std::max(factor, 1.5)) + 1;
        } else if (seconds_since(start) >= blocks.warm_up) {
            return count;
        }
    }
}

}  // namespace

Timing summarise(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    return {quantile(samples, 0.5), quantile(samples, 0.25), quantile(samples, 0.75),
            static_cast<std::int64_t>(samples.size()), kNone};
}

Timing measure(const std::function<double(std::int64_t)>& block, const Pace& pace,
               const Blocks& blocks) {
    const std::int64_t count = block_size(block, pace, blocks);
    std::vector<double> samples;
    const Clock::time_point start = Clock::now();
    for (;;) {
        samples.push_back(block(count) / static_cast<double>(count));
        pace.check_stop();
        const double passed = seconds_since(start);
        if ((samples.size() >= kLeastRepeats && passed >= pace.seconds) ||
            passed >= kPatience * pace.seconds) {
            return summarise(std::move(samples));
        }
    }
}

Timing measure_calls(const std::function<void(std::int64_t)>& call, std::int64_t copies,
                     const Pace& pace) {
    std::int64_t next = 0;
    return measure(
        [&](std::int64_t count) {
            const Clock::time_point start = Clock::now();
            for (std::int64_t i = 0; i < count; ++i) {
                call(next);
                next = next + 1 == copies ? 0 : next + 1;
            }
            return seconds_since(start);
        },
        pace, {std::min(0.1, pace.seconds / 5), kShortestOnTheHost});
}

}  // namespace matgrad::bench
