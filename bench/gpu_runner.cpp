#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench/gpu_case.hpp"
#include "bench/gpu_ceilings.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/machine.hpp"
#include "bench/runner.hpp"
#include "bench/suite_fields.hpp"
#include "cuda/loader.hpp"

namespace matgrad::bench {
namespace {

/// Two events, and the launch that the device has to wait for, are then about 1% of a block.
constexpr double kShortestOnAGpu = 1e-3;

/// The median of a few: with work of other calls before it, a call may wait for the device.
double enqueue_seconds(const GpuTurns& turns, const Pace& pace) {
    const double long_enough = std::min(0.01, pace.seconds / 10);
    constexpr std::size_t kLeast = 5;
    constexpr std::size_t kMost = 100;
    std::vector<double> samples;
    const Clock::time_point start = Clock::now();
    while (samples.size() < kLeast ||
           (samples.size() < kMost && seconds_since(start) < long_enough)) {
        samples.push_back(turns.enqueue_seconds());
    }
    return summarise(std::move(samples)).seconds;
}

class ReadyOnGpu final : public Ready {
public:
    ReadyOnGpu(std::shared_ptr<const GpuCase> on_gpu, const GpuContender& contender)
        : on_gpu_(std::move(on_gpu)), turns_(*on_gpu_, contender) {}

    [[nodiscard]] const GpuTurns& turns() const noexcept { return turns_; }
    [[nodiscard]] Comparison check(const std::vector<Answer>& answers) const {
        // Right results of the contender before this one must not pass for its own.
        for (const Answer& answer : answers) {
            for (std::size_t i = 0; i < on_gpu_->outputs().size(); ++i) {
                on_gpu_->spoil(i, answer.problem);
            }
        }
        turns_.run_first();
        return compare(answers, on_gpu_->outputs(), [&](std::size_t i, std::int64_t problem) {
            return on_gpu_->result(i, problem);
        });
    }
    [[nodiscard]] Timing measure(const Pace& pace) override {
        Timing timing = bench::measure([this](std::int64_t count) { return turns_.seconds(count); },
                                       pace, {pace.warm_up_of_a_gpu, kShortestOnAGpu});
        timing.enqueue_seconds = enqueue_seconds(turns_, pace);
        return timing;
    }

private:
    std::shared_ptr<const GpuCase> on_gpu_;
    GpuTurns turns_;
};

class GpuRunner final : public Runner {
public:
    GpuRunner(const gpu::Module& module, DeviceInfo info, std::vector<GpuContender> contenders)
        : Runner(1), module_(module), info_(std::move(info)), contenders_(std::move(contenders)) {}

    [[nodiscard]] std::string device() const override {
        return fmt::format("{}, {:.0f} GiB, compute capability {}.{}", info_.name,
                           static_cast<double>(info_.memory_bytes) / (1 << 30), info_.major,
                           info_.minor);
    }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> versions() const override {
        auto versions = build_versions();
        versions.emplace_back("host", cpu_text());
        for (const gpu::Version& version : module_.versions()) {
            versions.emplace_back(version.name, version.number);
        }
        return versions;
    }
    [[nodiscard]] int most_threads() const override { return 0; }
    [[nodiscard]] std::vector<std::string> executors(const Case& c) const override {
        std::vector<std::string> names;
        for (const GpuContender& contender : contenders_) {
            if (contender.offers(c)) {
                names.push_back(contender.executor);
            }
        }
        return names;
    }
    [[nodiscard]] const Ceilings& ceilings(int /*threads*/) override {
        if (!ceilings_) {
            ceilings_ = measure_gpu_ceilings(module_, info_);
        }
        return *ceilings_;
    }
    void forget_ceilings() override { ceilings_.reset(); }

protected:
    [[nodiscard]] double bound_seconds(const Work& work, ScalarType type, int threads) override {
        return bound_on_gpu(work, ceilings(threads).of(type));
    }
    [[nodiscard]] std::unique_ptr<Ready> make_ready(Row& row,
                                                    const std::vector<Answer>& answers) override {
        auto ready = std::make_unique<ReadyOnGpu>(on_gpu_for(row.c), contender(row.executor));
        row.copies = ready->turns().copies();
        row.plan_seconds = ready->turns().plan_seconds();
        row.residual = ready->check(answers);
        return ready;
    }

private:
    /// The memory of the case, which its contenders share: kept until another one comes.
    std::shared_ptr<const GpuCase> on_gpu_for(const Case& c) {
        const std::string key = to_json(c).dump();
        if (!on_gpu_ || key != key_) {
            on_gpu_.reset();
            on_gpu_ = std::make_shared<const GpuCase>(c, module_, info_, 0);
            key_ = key;
        }
        return on_gpu_;
    }
    [[nodiscard]] const GpuContender& contender(const std::string& executor) const {
        return *std::find_if(contenders_.begin(), contenders_.end(),
                             [&](const GpuContender& one) { return one.executor == executor; });
    }

    const gpu::Module& module_;
    DeviceInfo info_;
    std::vector<GpuContender> contenders_;
    std::optional<Ceilings> ceilings_;
    std::string key_;
    std::shared_ptr<const GpuCase> on_gpu_;
};

Prepared prepare_plan(const Case& c, const GpuPlace& place, GpuExecutor executor, bool capturable) {
    PlanOptions options = c.options(Device{DeviceKind::cuda, place.device.index}, 0);
    options.executor = executor;
    options.capturable = capturable;
    const Clock::time_point start = Clock::now();
    const Plan plan = make_plan(c.expression(), c.operands(), options);
    const double seconds = seconds_since(start);
    std::byte* const workspace = place.stopwatch.allocate(plan.workspace_bytes());
    auto* const status = reinterpret_cast<std::int32_t*>(
        place.stopwatch.allocate(static_cast<std::size_t>(c.batch) * sizeof(std::int32_t)));
    const auto arguments = std::make_shared<PlanArguments>(plan, c.batch);
    const EnqueueOptions where = {.status = status,
                                  .workspace = workspace,
                                  .workspace_bytes = plan.workspace_bytes(),
                                  .stream = place.stopwatch.stream()};
    return {[plan, arguments, where](std::span<const ConstStrided> operands,
                                     std::span<const Strided> results) {
                arguments->move_to(operands, results);
                plan.enqueue(arguments->operands, arguments->results, where);
            },
            seconds};
}

}  // namespace

GpuContender matgrad_on_gpu(GpuExecutor executor) {
    GpuContender contender;
    contender.executor = executor == GpuExecutor::library ? "cuda library" : "cuda";
    contender.prepare = [executor](const Case& c, const GpuPlace& place) {
        return prepare_plan(c, place, executor, false);
    };
    return contender;
}

GpuContender matgrad_graphs_on_gpu(GpuExecutor executor) {
    GpuContender contender = matgrad_on_gpu(executor);
    contender.prepare = [executor](const Case& c, const GpuPlace& place) {
        return prepare_plan(c, place, executor, true);
    };
    return as_graphs(std::move(contender));
}

std::unique_ptr<Runner> make_gpu_runner(const Device& device) {
    std::vector<GpuContender> contenders;
    for (const GpuExecutor executor : {GpuExecutor::library, GpuExecutor::automatic}) {
        contenders.push_back(matgrad_on_gpu(executor));
        contenders.push_back(matgrad_graphs_on_gpu(executor));
    }
    return make_gpu_runner(device, std::move(contenders));
}

std::unique_ptr<Runner> make_gpu_runner(const Device& device,
                                        std::vector<GpuContender> contenders) {
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        throw MachineError(fmt::format("device {}: {}", to_text(device), why));
    }
    for (const DeviceInfo& info : module->devices()) {
        if (info.index == device.index) {
            return std::make_unique<GpuRunner>(*module, info, std::move(contenders));
        }
    }
    throw OperandError(fmt::format("device {} does not exist", to_text(device)));
}

}  // namespace matgrad::bench
