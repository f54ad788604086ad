#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/row.hpp"

namespace matgrad::bench {
namespace {

std::string sizes_text(const Case& c) {
    std::string text;
    for (const auto& [name, size] : c.sizes) {
        text += fmt::format("{}{}", text.empty() ? "" : "x", size);
    }
    return text;
}

/// The function, which operands all problems share, and whether results are summed.
std::string function_text(const Case& c) {
    std::string shared;
    for (const Declaration& d : c.declare) {
        if (std::count(c.batched.begin(), c.batched.end(), d.name) == 0) {
            shared += (shared.empty() ? " (" : ", ") + d.name;
        }
    }
    const char* const summed = c.reduction == Reduction::sum ? ", summed" : "";
    return c.function + (shared.empty() ? "" : fmt::format("{} shared{})", shared, summed));
}

std::string seconds_text(double seconds) {
    if (seconds < 1e-6) {
        return fmt::format("{:.0f} ns", 1e9 * seconds);
    }
    if (seconds < 1e-3) {
        return fmt::format("{:.1f} us", 1e6 * seconds);
    }
    return seconds < 1 ? fmt::format("{:.2f} ms", 1e3 * seconds) : fmt::format("{:.2f} s", seconds);
}

std::string rates_text(const char* type, const Rates& rates) {
    return fmt::format("{} {:.0f} GFLOP/s", type, 1e-9 * rates.multiply_add_flops_per_s);
}

std::string ceilings_text(const Ceilings& ceilings) {
    const Rates& memory = ceilings.float64;
    std::string text = fmt::format("copy {:.1f} GB/s", 1e-9 * memory.copy_bytes_per_s);
    if (memory.read_bytes_per_s > 0) {  // of a processor
        text += fmt::format(", read {:.1f} GB/s, memcpy {:.1f} GB/s",
                            1e-9 * memory.read_bytes_per_s, 1e-9 * memory.memcpy_bytes_per_s);
    }
    return fmt::format("{}, multiply-add {}, {}", text, rates_text("float32", ceilings.float32),
                       rates_text("float64", ceilings.float64));
}

/// Quartiles that lie far apart are marked.
std::string spread_text(const Timing& timing) {
    constexpr double kFar = 0.25;
    const double spread = (timing.high - timing.low) / timing.seconds;
    return fmt::format("{:.1f}%{}", 100 * spread, spread > kFar ? "!" : " ");
}

}  // namespace

std::string table_head(const Report& report) {
    std::string head = fmt::format("suite {} on {}, {} thread{}\n", report.suite, report.device,
                                   report.threads, report.threads == 1 ? "" : "s");
    head += fmt::format("measured ceilings: {}\n", ceilings_text(report.ceilings));
    head += fmt::format(
        "{:<28} {:>14} {:>9} {:>4} {:<6} {:<8} {:<19} {:>9} {:>8} {:>9} {:>8} {:>7} {:>8} {:>6} "
        "{}\n",
        "function", "sizes", "batch", "type", "acc.", "outputs", "executor", "median", "spread",
        "enqueue", "plan ms", "GB/s", "GFLOP/s", "bound", "residual of its bound");
    return head;
}

std::string table_line(const Row& row) {
    std::string line = fmt::format("{:<28} {:>14} {:>9} {:>4} {:<6} {:<8} {:<19} ",
                                   function_text(row.c), sizes_text(row.c), row.c.batch,
                                   row.c.type == ScalarType::float32 ? "f32" : "f64",
                                   to_text(row.c.accuracy), to_text(row.c.outputs), row.executor);
    if (!row.ok) {
        return line + fmt::format("{:>9}  {}\n", "FAIL", row.error);
    }
    const Timing& t = row.timing;
    const std::string plan =
        std::isnan(row.plan_seconds) ? "" : fmt::format("{:.1f}", 1e3 * row.plan_seconds);
    return line +
           fmt::format("{:>9} {:>8} {:>9} {:>8} {:>7.2f} {:>8.2f} {:>5.1f}% {:.1e} of {:.1e}\n",
                       seconds_text(t.seconds), spread_text(t),
                       std::isnan(t.enqueue_seconds) ? "" : seconds_text(t.enqueue_seconds), plan,
                       row.gb_per_s(), row.gflop_per_s(), row.percent_of_bound(),
                       row.residual.residual, row.residual.bound);
}

}  // namespace matgrad::bench
