#pragma once
/// \file Fixed parts of one large step, shared by threads.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace matgrad::detail {

/// work(i) for every i below count, on up to `threads` threads.
template <typename Work>
void for_each_panel(int threads, std::int64_t count, Work work) {
    std::atomic<std::int64_t> next{0};
    const auto take = [&] {
        for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            work(i);
        }
    };
    std::vector<std::thread> others;
    const auto helpers = std::min<std::int64_t>(threads, count) - 1;
    try {
        for (std::int64_t i = 0; i < helpers; ++i) {
            others.emplace_back(take);
        }
    } catch (const std::system_error&) {
        // No more threads to be had: those that run share the work.
    }
    take();
    for (std::thread& other : others) {
        other.join();
    }
}

}  // namespace matgrad::detail
