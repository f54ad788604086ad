#include "cuda/kernel_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cuda/compile.hpp"
#include "cuda/fused/source.hpp"
#include "cuda/thresholds.hpp"
#include "matgrad/error.hpp"

namespace matgrad::gpu {
namespace {

/// Of an H100 SXM, by its data sheet, and what others measured on one.
constexpr double kBytesPerSecond = 3.35e12;
constexpr double kMeasuredBytesPerSecond = 3.0e12;
constexpr double kFloatPerSecond = 67e12;
constexpr double kDoublePerSecond = 34e12;  ///< without tensor cores

std::string line(const char* name, const std::string& text) {
    return fmt::format("{:<14}{}\n", name, text);
}

std::string count_text(std::int64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::int64_t bytes_of(const Value& value, ScalarType type) {
    return value.count() * static_cast<std::int64_t>(size_of(type));
}

struct Work {
    double in_float = 0, in_double = 0;
};

Work work_of(const FusedDescription& what) {
    Work work;
    for (const Step* step : what.steps) {
        (step->type == ScalarType::float32 ? work.in_float : work.in_double) += step->operations;
    }
    return work;
}

/// Every step, those of the kernel first.
std::string steps_text(const Program& program, const FusedDescription& what) {
    std::string text = line("fused", fmt::format("{} of {} of the Program", what.steps.size(),
                                                 count_text(std::ssize(program.steps), "step")));
    for (const Step* step : what.steps) {
        text += line("", to_text(program, *step));
    }
    const char* name = "apart";
    for (const Step& step : program.steps) {
        const bool is_fused = std::any_of(what.steps.begin(), what.steps.end(),
                                          [&step](const Step* other) { return other == &step; });
        if (!is_fused) {
            const char* const when = step.scope == Scope::shared    ? "once for the batch, before"
                                     : step.scope == Scope::problem ? "one product over the batch"
                                                                    : "once for the batch, after";
            text += line(name, fmt::format("{} ({})", to_text(program, step), when));
            name = "";
        }
    }
    return text;
}

std::string team_text(const FusedConfiguration& c) {
    const char* const who = c.threads == 1    ? "a thread alone"
                            : c.threads == 32 ? "a warp"
                                              : "a block";
    return line("team", fmt::format("{} to a problem ({}), {} to a block of {} threads",
                                    count_text(c.threads, "thread"), who,
                                    count_text(c.teams, "problem"), c.block()));
}

std::string resources_text(const FusedConfiguration& c, const ArchitectureLimits& limits,
                           const std::optional<KernelResources>& resources) {
    const auto memory = [&](const std::string& others) {
        return line("block memory",
                    fmt::format("{} bytes dynamic{}, of {} that sm_{} gives a block",
                                c.block_bytes(), others, limits.block_memory_bytes, limits.number));
    };
    if (!resources) {
        return memory("") + line("registers", "not known: the compiler does not say");
    }
    const KernelResources& r = *resources;
    const Occupancy occupancy =
        occupancy_of(limits, c.block(), r.registers, c.block_bytes() + r.static_bytes);
    return memory(fmt::format(", {} static", r.static_bytes)) +
           line("registers",
                fmt::format("{} a thread; {} bytes of stack; spills: {} bytes stored, "
                            "{} loaded",
                            r.registers, r.stack_bytes, r.spill_store_bytes, r.spill_load_bytes)) +
           line("occupancy",
                fmt::format("{} of a multiprocessor at once, {} of its {} warps ({:.0f}%); limited "
                            "by {}",
                            count_text(occupancy.blocks, "block"), occupancy.warps, limits.warps,
                            100.0 * static_cast<double>(occupancy.warps) / limits.warps,
                            occupancy.limit));
}

std::string traffic_text(const KernelTraffic& traffic) {
    const std::string shared =
        traffic.shared_bytes == 0
            ? ""
            : fmt::format("; {} bytes are shared by all, read once by each block",
                          traffic.shared_bytes);
    return line("bytes", fmt::format("{} read and {} written for each problem: every input, result "
                                     "and status once{}",
                                     traffic.read_bytes, traffic.written_bytes, shared));
}

/// The larger of the time for the bytes and that for the operations; of these the pipes for float and double may
/// work at the same time.
std::string bound_text(const KernelTraffic& traffic, const Work& work, std::int64_t batch) {
    const auto problems = static_cast<double>(batch);
    const double bytes =
        problems * static_cast<double>(traffic.read_bytes + traffic.written_bytes) +
        static_cast<double>(traffic.shared_bytes);
    const double memory = bytes / kBytesPerSecond;
    const double arithmetic =
        problems * std::max(work.in_float / kFloatPerSecond, work.in_double / kDoublePerSecond);
    const double measured = std::max(bytes / kMeasuredBytesPerSecond, arithmetic);
    constexpr double kMicro = 1e6;
    return line("bound",
                fmt::format("{} on an H100: at least {:.4g} us ({:.4g} for the bytes, {:.4g} for "
                            "the operations)",
                            count_text(batch, "problem"), kMicro * std::max(memory, arithmetic),
                            kMicro * memory, kMicro * arithmetic)) +
           line("",
                "by the data sheet of the SXM card: 3.35 TB/s, 67 TFLOP/s in float, 34 in "
                "double without tensor cores;") +
           line("", fmt::format("at the 3.0 TB/s that others measured at least {:.4g} us. A bound, "
                                "not a prediction",
                                kMicro * measured));
}

}  // namespace

const ArchitectureLimits& known_limits(int architecture) {
    const ArchitectureLimits* limits = limits_of(architecture);
    if (limits == nullptr) {
        throw OperandError(fmt::format("architecture sm_{}: expected one of {}", architecture,
                                       architecture_names()));
    }
    return *limits;
}

FusedKernel fused_kernel(const Program& program, const ArchitectureLimits& limits) {
    FusedKernel kernel;
    kernel.what = describe_fused(program);
    if (!kernel.what.is_fused()) {
        kernel.reason = kernel.what.reason;
        return kernel;
    }
    kernel.configuration = configure_fused(program, kernel.what, Thresholds::of(limits.number / 10),
                                           limits.block_memory_bytes - kBytesOfPrimitives);
    kernel.reason = kernel.configuration.reason;
    kernel.what = with_stored(std::move(kernel.what), kernel.configuration);
    return kernel;
}

KernelId add_to(KernelSource& source, const Program& program, const FusedKernel& kernel) {
    const FusedConfiguration& c = kernel.configuration;
    return source.add_fused(fused_text(program, kernel.what, c), fused_matrices(kernel.what),
                            c.block(), c.teams, c.block_bytes());
}

KernelTraffic traffic_of(const Program& program, const FusedDescription& what) {
    KernelTraffic traffic;
    const auto bytes = [&program](ValueId id) {
        return bytes_of(program.value(id), program.value(id).type);
    };
    for (const ValueId id : what.shared_inputs) {
        traffic.shared_bytes += bytes(id);
    }
    for (const ValueId id : what.inputs) {
        traffic.read_bytes += bytes(id);
    }
    for (const std::size_t result : what.results) {
        traffic.written_bytes +=
            bytes_of(program.value(program.outputs[result].value), program.type);
    }
    for (const ValueId id : what.kept) {
        traffic.written_bytes += bytes(id);
    }
    traffic.written_bytes += sizeof(std::int32_t);  // the status
    return traffic;
}

KernelReport report_kernel(const Program& program, int architecture, std::int64_t batch) {
    const ArchitectureLimits& limits = known_limits(architecture);
    const FusedKernel kernel = fused_kernel(program, limits);
    KernelReport report;
    if (!kernel.reason.empty()) {
        report.reason = kernel.reason;
        return report;
    }
    KernelSource source;
    const KernelId id = add_to(source, program, kernel);
    const std::string& name = source.kernels()[static_cast<std::size_t>(id)].name;
    report.source = source.text();
    Compilation compilation = compilation_for(report.source, architecture / 10, architecture % 10);
    compilation.options.emplace_back("--ptxas-options=-v");
    const std::optional<KernelResources> resources =
        resources_of(compile_now(compilation).log, name);

    const Work work = work_of(kernel.what);
    const KernelTraffic traffic = traffic_of(program, kernel.what);
    report.text =
        steps_text(program, kernel.what) + team_text(kernel.configuration) +
        resources_text(kernel.configuration, limits, resources) + traffic_text(traffic) +
        line("operations", fmt::format("{:.0f} in float and {:.0f} in double for each problem",
                                       work.in_float, work.in_double)) +
        bound_text(traffic, work, batch);
    return report;
}

}  // namespace matgrad::gpu
