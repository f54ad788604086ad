#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "bench/cpu_ceilings.hpp"
#include "bench/machine.hpp"
#include "bench/runner.hpp"
#include "bench/threads.hpp"
#include "cpu/processor.hpp"

namespace matgrad::bench {
namespace {

/// Operands and results in memory, as copies that take turns.
class ReadyOnProcessor final : public Ready {
public:
    ReadyOnProcessor(const Case& c, std::int64_t most_copies)
        : outputs_(results_of(c)), layout_(c, outputs_), copies_(count_copies(most_copies)) {
        memory_.emplace(static_cast<std::size_t>(copies_) * layout_.bytes);
        fill_operands(c, layout_, base(0));
        for (std::int64_t copy = 1; copy < copies_; ++copy) {
            std::memcpy(base(copy), base(0), layout_.operand_bytes);
        }
        operands_ = layout_.operands_at(base(0), c);
        results_ = layout_.results_at(base(0), outputs_);
    }

    [[nodiscard]] std::int64_t copies() const noexcept { return copies_; }
    void use(Call call) { call_ = std::move(call); }

    /// Computes the first copy and compares its results.
    [[nodiscard]] Comparison check(const std::vector<Answer>& answers, ScalarType type) const {
        call_(operands_, results_);
        return compare(answers, outputs_, [&](std::size_t i, std::int64_t problem) {
            return matrix_at(static_cast<const std::byte*>(results_[i].data), type,
                             outputs_[i].rows, outputs_[i].cols, problem);
        });
    }

    [[nodiscard]] Timing measure(const Pace& pace) override {
        return measure_calls(
            [this](std::int64_t copy) {
                for (std::size_t i = 0; i < operands_.size(); ++i) {
                    operands_[i].data = base(copy) + layout_.operands[i];
                }
                for (std::size_t i = 0; i < results_.size(); ++i) {
                    results_[i].data = base(copy) + layout_.results[i];
                }
                call_(operands_, results_);
            },
            copies_, pace);
    }

private:
    /// Errors: MachineError where one copy takes too much of the memory.
    [[nodiscard]] std::int64_t count_copies(std::int64_t most_copies) const {
        const std::size_t most = physical_memory_bytes() / 2;
        if (layout_.bytes > most) {
            throw MachineError(fmt::format(
                "{:.1f} GB of operands and results: at most {:.1f} GB, "
                "half of the memory",
                1e-9 * static_cast<double>(layout_.bytes), 1e-9 * static_cast<double>(most)));
        }
        return std::min(most_copies, copies_beyond(last_level_cache_bytes(), layout_.bytes, most));
    }
    [[nodiscard]] std::byte* base(std::int64_t copy) const {
        return memory_->data() + static_cast<std::size_t>(copy) * layout_.bytes;
    }

    std::vector<OutputInfo> outputs_;
    Layout layout_;
    std::int64_t copies_;
    std::optional<HostMemory> memory_;
    std::vector<ConstStrided> operands_;  // of the copy that was used last
    std::vector<Strided> results_;
    Call call_;
};

class CpuRunner final : public Runner {
public:
    CpuRunner(Contender contender, int threads)
        : Runner(threads), contender_(std::move(contender)) {}

    [[nodiscard]] std::string device() const override { return cpu_text(); }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> versions() const override {
        return build_versions();
    }
    [[nodiscard]] std::vector<std::string> executors(const Case& c) const override {
        return contender_.offers(c) ? std::vector<std::string>{contender_.executor}
                                    : std::vector<std::string>{};
    }
    [[nodiscard]] int most_threads() const override { return machine_threads(); }
    [[nodiscard]] const Ceilings& ceilings(int threads) override {
        const auto at = ceilings_.find(threads);
        return at != ceilings_.end()
                   ? at->second
                   : ceilings_.emplace(threads, measure_cpu_ceilings(threads)).first->second;
    }
    void forget_ceilings() override { ceilings_.clear(); }

protected:
    [[nodiscard]] double bound_seconds(const Work& work, ScalarType /*type*/,
                                       int threads) override {
        return bound_on_processor(work, ceilings(threads));
    }
    [[nodiscard]] std::unique_ptr<Ready> make_ready(Row& row,
                                                    const std::vector<Answer>& answers) override {
        const Case& c = row.c;
        auto ready = std::make_unique<ReadyOnProcessor>(c, contender_.most_copies);
        row.copies = ready->copies();
        Prepared prepared = contender_.prepare(c, c.threads > 0 ? c.threads : threads());
        row.plan_seconds = prepared.plan_seconds;
        ready->use(std::move(prepared.call));
        row.residual = ready->check(answers, c.type);
        return ready;
    }

private:
    Contender contender_;
    std::map<int, Ceilings> ceilings_;
};

}  // namespace

Contender matgrad_on_cpu() {
    const auto prepare = [](const Case& c, int threads) -> Prepared {
        const Clock::time_point start = Clock::now();
        const Plan plan =
            make_plan(c.expression(), c.operands(), c.options(Device{DeviceKind::cpu, 0}, threads));
        const double seconds = seconds_since(start);
        const auto arguments = std::make_shared<PlanArguments>(plan, c.batch);
        const auto status =
            std::make_shared<std::vector<std::int32_t>>(static_cast<std::size_t>(c.batch));
        return {[plan, arguments, status](std::span<const ConstStrided> operands,
                                          std::span<const Strided> results) {
                    arguments->move_to(operands, results);
                    (void)plan.run(arguments->operands, arguments->results, *status);
                },
                seconds};
    };
    Contender contender;
    contender.executor = "cpu";
    contender.prepare = prepare;
    return contender;
}

std::unique_ptr<Runner> make_cpu_runner(Contender contender, int threads) {
    return std::make_unique<CpuRunner>(std::move(contender), threads);
}

}  // namespace matgrad::bench
