#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "bench/cpu_ceilings.hpp"
#include "bench/machine.hpp"
#include "bench/runner.hpp"
#include "bench/threads.hpp"
#include "cpu/processor.hpp"

namespace matgrad::bench {
namespace {

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

protected:
    void measure(Row& row, const std::vector<Answer>& answers, const Pace& pace) override {
        const Case& c = row.c;
        const std::vector<OutputInfo> outputs = results_of(c);
        const Layout layout(c, outputs);
        const std::size_t most = physical_memory_bytes() / 2;
        if (layout.bytes > most) {
            throw MachineError(fmt::format(
                "{:.1f} GB of operands and results: at most {:.1f} GB, "
                "half of the memory",
                1e-9 * static_cast<double>(layout.bytes), 1e-9 * static_cast<double>(most)));
        }
        row.copies = std::min(contender_.most_copies,
                              copies_beyond(last_level_cache_bytes(), layout.bytes, most));
        const HostMemory memory(static_cast<std::size_t>(row.copies) * layout.bytes);
        const auto base = [&](std::int64_t copy) {
            return memory.data() + static_cast<std::size_t>(copy) * layout.bytes;
        };
        fill_operands(c, layout, base(0));
        for (std::int64_t copy = 1; copy < row.copies; ++copy) {
            std::memcpy(base(copy), base(0), layout.operand_bytes);
        }
        const Prepared prepared = contender_.prepare(c, c.threads > 0 ? c.threads : threads());
        const Call& call = prepared.call;
        row.plan_seconds = prepared.plan_seconds;
        std::vector<ConstStrided> operands = layout.operands_at(base(0), c);
        std::vector<Strided> results = layout.results_at(base(0), outputs);
        call(operands, results);
        row.residual = compare(answers, outputs, [&](std::size_t i, std::int64_t problem) {
            return matrix_at(static_cast<const std::byte*>(results[i].data), c.type,
                             outputs[i].rows, outputs[i].cols, problem);
        });
        if (!row.residual.passes()) {
            return;
        }
        row.timing = measure_calls(
            [&](std::int64_t copy) {
                for (std::size_t i = 0; i < operands.size(); ++i) {
                    operands[i].data = base(copy) + layout.operands[i];
                }
                for (std::size_t i = 0; i < results.size(); ++i) {
                    results[i].data = base(copy) + layout.results[i];
                }
                call(operands, results);
            },
            row.copies, pace);
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
