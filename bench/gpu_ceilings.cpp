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

double fastest_round(const std::function<double()>& round) {
    double best = round();  // the first warms up
    best = round();
    for (int i = 1; i < kRounds; ++i) {
        best = std::min(best, round());
    }
    return best;
}

double copy_rate(const gpu::Module& module, const DeviceInfo& device) {
    double rate = 0;
    for (std::size_t bytes = std::size_t{1} << 20; bytes <= device.free_bytes / 4; bytes *= 4) {
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

double product_rate(const gpu::Module& module, const DeviceInfo& device, ScalarType type) {
    constexpr std::int64_t kLargest = 8192;
    double rate = 0;
    for (std::int64_t n = 128; n <= kLargest; n *= 2) {
        const GpuCase product(product_case(type, n), matgrad_on_gpu(), module, device, 1);
        const double seconds = fastest_round([&] { return product.seconds(1); });
        const auto size = static_cast<double>(n);
        rate = std::max(rate, 2 * size * size * size / seconds);
        if (seconds > kLongEnough) {
            break;
        }
    }
    return rate;
}

}  // namespace

Ceilings measure_gpu_ceilings(const gpu::Module& module, const DeviceInfo& device) {
    const double copy = copy_rate(module, device);
    return {{copy, product_rate(module, device, ScalarType::float32)},
            {copy, product_rate(module, device, ScalarType::float64)}};
}

}  // namespace matgrad::bench
