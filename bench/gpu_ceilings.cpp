#include "bench/gpu_ceilings.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "bench/case.hpp"
#include "bench/gpu_case.hpp"
#include "bench/timing.hpp"

namespace matgrad::bench {
namespace {

constexpr int kRounds = 5;
constexpr double kLongEnough = 5e-3;  // a larger one would give the same rate

/// Of a device that was kept busy by rounds before, since its clock is low else.
double fastest_round(const std::function<double()>& round) {
    const Clock::time_point start = Clock::now();
    double best = round();  // the first one is a warm-up
    do {
        best = round();
    } while (seconds_since(start) < kWarmUpOfAGpu);
    for (int i = 1; i < kRounds; ++i) {
        best = std::min(best, round());
    }
    return best;
}

double copy_rate(const gpu::Module& module, const DeviceInfo& device) {
    // Beyond the cache, where the device has room for as much.
    constexpr std::size_t kSmallest = std::size_t{128} << 20;
    double rate = 0;
    for (std::size_t bytes = std::min(kSmallest, device.free_bytes / 4);
         bytes <= device.free_bytes / 4; bytes *= 4) {
        const auto stopwatch = module.make_stopwatch(device.index);
        std::byte* const from = stopwatch->allocate(bytes);
        std::byte* const to = stopwatch->allocate(bytes);
        const double seconds = fastest_round([&] {
            stopwatch->start();
            stopwatch->copy(to, from, bytes);
            return stopwatch->stop();
        });
        rate = std::max(rate, 2 * static_cast<double>(bytes) / seconds);
        if (seconds > kLongEnough) {
            break;
        }
    }
    return rate;
}

Case product_case(ScalarType type, std::int64_t n) {
    Case c;
    c.f = "tr(A*X*B)";
    c.wrt = "X";
    c.declare = symbols(parse(c.f));
    for (const Declaration& d : c.declare) {
        for (const Dim& dim : {d.shape.rows, d.shape.cols}) {
            c.sizes.emplace_back(dim.name, n);
        }
        c.batched.push_back(d.name);
    }
    c.type = type;
    c.outputs = Outputs::gradient;
    return c;
}

/// The next size, at most eight times as large, that a round should take little time for.
std::int64_t larger_size(std::int64_t n, double seconds) {
    constexpr double kShort = 0.02;
    constexpr std::int64_t kLargest = 8192;
    for (const std::int64_t factor : {8, 4, 2}) {
        const auto more = static_cast<double>(factor * factor * factor);
        if (n * factor <= kLargest && more * seconds <= kShort) {
            return n * factor;
        }
    }
    return 0;
}

double product_rate(const gpu::Module& module, const DeviceInfo& device, ScalarType type) {
    constexpr std::int64_t kSmallest = 128;
    double rate = 0;
    std::int64_t n = kSmallest;
    while (n > 0) {
        const GpuCase on_gpu(product_case(type, n), module, device, 1);
        const GpuTurns product(on_gpu, matgrad_on_gpu());
        const double seconds = fastest_round([&] { return product.seconds(1); });
        const auto size = static_cast<double>(n);
        rate = std::max(rate, 2 * size * size * size / seconds);
        n = seconds > kLongEnough ? 0 : larger_size(n, seconds);
    }
    return rate;
}

}  // namespace

Ceilings measure_gpu_ceilings(const gpu::Module& module, const DeviceInfo& device) {
    const double copy = copy_rate(module, device);
    Ceilings ceilings;
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        Rates& rates = type == ScalarType::float32 ? ceilings.float32 : ceilings.float64;
        rates.copy_bytes_per_s = copy;
        rates.multiply_add_flops_per_s = product_rate(module, device, type);
    }
    return ceilings;
}

}  // namespace matgrad::bench
