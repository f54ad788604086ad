#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench/gpu_case.hpp"
#include "bench/gpu_ceilings.hpp"
#include "bench/machine.hpp"
#include "bench/runner.hpp"
#include "cuda/loader.hpp"

namespace matgrad::bench {
namespace {

class GpuRunner final : public Runner {
public:
    GpuRunner(const gpu::Module& module, DeviceInfo info, GpuContender contender)
        : Runner(1), module_(module), info_(std::move(info)), contender_(std::move(contender)) {}

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
    [[nodiscard]] const Ceilings& ceilings(int /*threads*/) override {
        if (!ceilings_) {
            ceilings_ = measure_gpu_ceilings(module_, info_);
        }
        return *ceilings_;
    }

protected:
    void measure(Row& row, const std::vector<Answer>& answers, const Pace& pace) override {
        row.executor = contender_.executor;
        const GpuCase on_gpu(row.c, contender_, module_, info_, 0);
        row.copies = on_gpu.copies();
        const std::vector<std::vector<std::byte>> results = on_gpu.results();
        std::vector<const std::byte*> found;
        for (const std::vector<std::byte>& result : results) {
            found.push_back(result.data());
        }
        row.residual = compare(row.c, answers, results_of(row.c), found);
        if (!row.residual.passes()) {
            return;
        }
        std::vector<double> enqueue_seconds;
        row.timing = bench::measure(
            [&](std::int64_t count) {
                double host = 0;
                const double seconds = on_gpu.seconds(count, &host);
                enqueue_seconds.push_back(host / static_cast<double>(count));
                return seconds;
            },
            pace);
        row.timing.enqueue_seconds = summarise(std::move(enqueue_seconds)).seconds;
    }

private:
    const gpu::Module& module_;
    DeviceInfo info_;
    GpuContender contender_;
    std::optional<Ceilings> ceilings_;
};

}  // namespace

std::unique_ptr<Runner> make_gpu_runner(const Device& device) {
    return make_gpu_runner(device, matgrad_on_gpu());
}

std::unique_ptr<Runner> make_gpu_runner(const Device& device, GpuContender contender) {
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        throw MachineError(fmt::format("device {}: {}", to_text(device), why));
    }
    for (const DeviceInfo& info : module->devices()) {
        if (info.index == device.index) {
            return std::make_unique<GpuRunner>(*module, info, std::move(contender));
        }
    }
    throw OperandError(fmt::format("device {} does not exist", to_text(device)));
}

}  // namespace matgrad::bench
