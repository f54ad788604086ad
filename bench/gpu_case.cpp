#include "bench/gpu_case.hpp"

#include <algorithm>

namespace matgrad::bench {
namespace {

/// More than any GPU's second-level cache so far.
constexpr std::size_t kCacheBytes = std::size_t{128} << 20;

std::size_t size_of_result(const OutputInfo& output, const Case& c) {
    return static_cast<std::size_t>(output.rows * output.cols * size_of(c.type) *
                                    (output.batched ? c.batch : 1));
}

}  // namespace

GpuContender matgrad_on_gpu() {
    const auto prepare = [](const Case& c, const GpuPlace& place) -> Call {
        const Plan plan = make_plan(c.expression(), c.operands(), c.batch,
                                    c.options(Device{DeviceKind::cuda, place.device.index}, 0));
        std::byte* const workspace = place.stopwatch.allocate(plan.workspace_bytes());
        auto* const status = reinterpret_cast<std::int32_t*>(
            place.stopwatch.allocate(static_cast<std::size_t>(c.batch) * sizeof(std::int32_t)));
        return [plan, workspace, status, batch = c.batch, stream = place.stopwatch.stream()](
                   std::span<const ConstBatch> operands, std::span<const Batch> results) {
            plan.enqueue(batch, operands, results, status, workspace, plan.workspace_bytes(),
                         stream);
        };
    };
    return {"cuda library", prepare};
}

GpuCase::GpuCase(const Case& c, const GpuContender& contender, const gpu::Module& module,
                 const DeviceInfo& device, std::int64_t copies)
    : outputs_(results_of(c)),
      layout_(c, outputs_),
      stopwatch_(module.make_stopwatch(device.index)),
      copies_(copies) {
    if (copies_ == 0) {
        copies_ = copies_beyond(kCacheBytes, layout_.bytes, device.free_bytes / 4);
    }
    for (const OutputInfo& output : outputs_) {
        result_bytes_.push_back(size_of_result(output, c));
    }
    memory_ = stopwatch_->allocate(static_cast<std::size_t>(copies_) * layout_.bytes);
    operands_ = layout_.operands_at(memory_, c);
    results_ = layout_.results_at(memory_, outputs_);
    call_ = contender.prepare(c, {device, *stopwatch_, results_, copies_, layout_.bytes});
    upload(c);
}

void GpuCase::upload(const Case& c) const {
    const HostMemory host(layout_.operand_bytes);
    fill_operands(c, layout_, host.data());
    stopwatch_->copy(memory_, host.data(), layout_.operand_bytes);
    for (std::int64_t done = 1; done < copies_; done *= 2) {
        const auto count = static_cast<std::size_t>(std::min(done, copies_ - done));
        stopwatch_->copy(memory_ + static_cast<std::size_t>(done) * layout_.bytes, memory_,
                         count * layout_.bytes);
    }
    stopwatch_->wait();
}

void GpuCase::enqueue(std::int64_t copy) const {
    std::byte* const base = memory_ + static_cast<std::size_t>(copy) * layout_.bytes;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
        operands_[i].data = base + layout_.operands[i];
    }
    for (std::size_t i = 0; i < results_.size(); ++i) {
        results_[i].data = base + layout_.results[i];
    }
    call_(operands_, results_);
}

std::vector<std::vector<std::byte>> GpuCase::results() const {
    enqueue(0);
    std::vector<std::vector<std::byte>> found;
    for (std::size_t i = 0; i < results_.size(); ++i) {
        found.emplace_back(result_bytes_[i]);
        stopwatch_->copy(found.back().data(), results_[i].data, result_bytes_[i]);
    }
    stopwatch_->wait();
    return found;
}

double GpuCase::seconds(std::int64_t count, double* host_seconds) const {
    stopwatch_->start();
    const Clock::time_point start = Clock::now();
    for (std::int64_t i = 0; i < count; ++i) {
        enqueue(next_);
        next_ = next_ + 1 == copies_ ? 0 : next_ + 1;
    }
    if (host_seconds != nullptr) {
        *host_seconds += seconds_since(start);
    }
    return stopwatch_->stop();
}

}  // namespace matgrad::bench
