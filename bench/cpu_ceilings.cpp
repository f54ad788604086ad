#include "bench/cpu_ceilings.hpp"

#include <algorithm>
#include <atomic>
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

/// Two arrays far beyond the caches, in parts of the threads.
class LargeArrays {
public:
    explicit LargeArrays(int threads) : threads_(threads), from_(size()), to_(size()) {}

    /// Bytes of one array per second, of work(from, bytes, to) on all parts at once.
    template <typename WorkOnAPart>
    [[nodiscard]] double rate(const WorkOnAPart& work) const {
        const double seconds = fastest_round(threads_, [&](int thread) {
            const std::size_t first = edge(thread);
            work(from_.data() + first, edge(thread + 1) - first, to_.data() + first);
        });
        return static_cast<double>(edge(threads_)) / seconds;
    }

private:
    /// Each is twice the cache or more, since one is read alone, and at most an eighth of the memory.
    static std::size_t size() {
        constexpr std::size_t kLeast = std::size_t{256} << 20;
        return std::min(std::max(kLeast, 2 * last_level_cache_bytes()),
                        physical_memory_bytes() / 8);
    }
    [[nodiscard]] std::size_t edge(int thread) const {
        const std::size_t grains = size() / detail::kStreamGrain;
        return grains * static_cast<std::size_t>(thread) / static_cast<std::size_t>(threads_) *
               detail::kStreamGrain;
    }

    int threads_;
    HostMemory from_, to_;
};

/// What memory does, whatever the type.
Rates memory_rates(int threads) {
    const LargeArrays arrays(threads);
    std::atomic<std::uint64_t> kept = 0;
    Rates rates;
    rates.read_bytes_per_s =
        arrays.rate([&](const std::byte* from, std::size_t bytes, std::byte* /*to*/) {
            kept ^= detail::read_array(from, bytes);
        });
    rates.copy_bytes_per_s = 2 * arrays.rate(detail::stream_array);
    rates.memcpy_bytes_per_s = 2 * arrays.rate([](const std::byte* from, std::size_t bytes,
                                                  std::byte* to) { std::memcpy(to, from, bytes); });
    return rates;
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
    Ceilings ceilings;
    ceilings.float32 = ceilings.float64 = memory_rates(threads);
    ceilings.float32.multiply_add_flops_per_s = multiply_add_rate(ScalarType::float32, threads);
    ceilings.float64.multiply_add_flops_per_s = multiply_add_rate(ScalarType::float64, threads);
    return ceilings;
}

}  // namespace matgrad::bench
