#pragma once
/// \file Work shared among threads.

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace matgrad::bench {

[[nodiscard]] inline int machine_threads() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Calls `work(first, last)` for consecutive parts of 0 .. count, each on a thread of its own, and
/// waits. `work` must not throw.
template <typename Work>
void in_parts(std::int64_t count, int threads, const Work& work) {
    constexpr std::int64_t kWorthAThread = 4096;
    const std::int64_t parts =
        std::clamp<std::int64_t>(count / kWorthAThread, 1, std::max(1, threads));
    std::vector<std::thread> others;
    for (std::int64_t i = 1; i < parts; ++i) {
        others.emplace_back(
            [&work, i, count, parts] { work(i * count / parts, (i + 1) * count / parts); });
    }
    work(0, count / parts);
    for (std::thread& other : others) {
        other.join();
    }
}

}  // namespace matgrad::bench
