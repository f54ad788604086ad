#include "bench/cpu_ceilings.hpp"

#include <algorithm>
#include <barrier>
#include <cstring>
#include <functional>
#include <thread>

#include "bench/data.hpp"
#include "bench/machine.hpp"
#include "bench/timing.hpp"
#include "cpu/processor.hpp"

namespace matgrad::bench {
namespace {

constexpr int kRounds = 5;

/// Seconds of the fastest of some rounds in which all threads work at once.
double fastest_round(int threads, const std::function<void(int thread)>& work) {
    double best = kNone;
    Clock::time_point start;
    bool running = false;
    const auto tick = [&]() noexcept {
        if (running) {
            best = std::fmin(best, seconds_since(start));
        }
        running = !running;
        start = Clock::now();
    };
    std::barrier barrier(threads, tick);
    const auto run = [&](int thread) {
        for (int round = 0; round < kRounds; ++round) {
            barrier.arrive_and_wait();
            work(thread);
            barrier.arrive_and_wait();
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) {
        others.emplace_back(run, i);
    }
    run(0);
    for (std::thread& other : others) {
        other.join();
    }
    return best;
}

double copy_rate(int threads) {
    // Both arrays together are twice the cache or more, and at most a quarter of the memory.
    constexpr std::size_t kLeast = std::size_t{256} << 20;
    const std::size_t bytes =
        std::min(std::max(kLeast, last_level_cache_bytes()), physical_memory_bytes() / 8);
    const HostMemory from(bytes);
    const HostMemory to(bytes);
    const auto count = static_cast<std::size_t>(threads);
    const double seconds = fastest_round(threads, [&](int thread) {
        const std::size_t first = static_cast<std::size_t>(thread) * bytes / count;
        const std::size_t last = static_cast<std::size_t>(thread + 1) * bytes / count;
        std::memcpy(to.data() + first, from.data() + first, last - first);
    });
    return 2 * static_cast<double>(bytes) / seconds;
}

double multiply_add_rate(ScalarType type, int threads) {
    constexpr std::int64_t kRoundsOfChains = 4'000'000;  // about 10 ms
    const double operations = detail::multiply_add(type, kRoundsOfChains);
    const double seconds =
        fastest_round(threads, [type](int) { (void)detail::multiply_add(type, kRoundsOfChains); });
    return threads * operations / seconds;
}

}  // namespace

Ceilings measure_cpu_ceilings(int threads) {
    const double copy = copy_rate(threads);
    return {{copy, multiply_add_rate(ScalarType::float32, threads)},
            {copy, multiply_add_rate(ScalarType::float64, threads)}};
}

}  // namespace matgrad::bench
