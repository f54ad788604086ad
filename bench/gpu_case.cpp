#include "bench/gpu_case.hpp"

#include <algorithm>

namespace matgrad::bench {
namespace {

/// More than any GPU's second-level cache so far.
constexpr std::size_t kCacheBytes = std::size_t{128} << 20;

}  // namespace

GpuCase::GpuCase(const Case& c, const gpu::Module& module, const DeviceInfo& device,
                 std::int64_t copies)
    : case_(c),
      outputs_(results_of(c)),
      layout_(c, outputs_),
      device_(device),
      stopwatch_(module.make_stopwatch(device.index)),
      copies_(copies) {
    if (copies_ == 0) {
        copies_ = copies_beyond(kCacheBytes, layout_.bytes, device.free_bytes / 4);
    }
    memory_ = stopwatch_->allocate(static_cast<std::size_t>(copies_) * layout_.bytes);
    upload();
}

void GpuCase::upload() const {
    const HostMemory host(layout_.operand_bytes);
    fill_operands(case_, layout_, host.data());
    stopwatch_->copy(memory_, host.data(), layout_.operand_bytes);
    for (std::int64_t done = 1; done < copies_; done *= 2) {
        const auto count = static_cast<std::size_t>(std::min(done, copies_ - done));
        stopwatch_->copy(memory_ + static_cast<std::size_t>(done) * layout_.bytes, memory_,
                         count * layout_.bytes);
    }
    stopwatch_->wait();
}

std::span<std::byte> GpuCase::place_of(std::size_t output, std::int64_t problem) const {
    const OutputInfo& info = outputs_[output];
    const auto bytes = static_cast<std::size_t>(info.rows * info.cols * size_of(case_.type));
    const auto index = static_cast<std::size_t>(info.batched ? problem : 0);
    return {memory_ + layout_.results[output] + index * bytes, bytes};
}

Eigen::MatrixXd GpuCase::result(std::size_t output, std::int64_t problem) const {
    const std::span<std::byte> place = place_of(output, problem);
    std::vector<std::byte> found(place.size());
    stopwatch_->copy(found.data(), place.data(), place.size());
    stopwatch_->wait();
    return matrix_at(found.data(), case_.type, outputs_[output].rows, outputs_[output].cols, 0);
}

void GpuCase::spoil(std::size_t output, std::int64_t problem) const {
    const std::span<std::byte> place = place_of(output, problem);
    const std::vector<std::byte> nan(place.size(), std::byte{0xFF});
    stopwatch_->copy(place.data(), nan.data(), place.size());
    stopwatch_->wait();
}

Prepared GpuCase::prepare(const GpuContender& contender, std::int64_t most) const {
    return contender.prepare(case_, {device_, *stopwatch_, operands(), results(),
                                     std::min(copies_, most), layout_.bytes});
}

GpuTurns::GpuTurns(const GpuCase& on_gpu, const GpuContender& contender)
    : stopwatch_(on_gpu.stopwatch()),
      copies_(std::min(on_gpu.copies(), contender.most_copies)),
      copy_bytes_(static_cast<std::ptrdiff_t>(on_gpu.copy_bytes())),
      operands_(on_gpu.operands()),
      results_(on_gpu.results()),
      prepared_(on_gpu.prepare(contender, copies_)) {}

void GpuTurns::move_to(std::int64_t copy) const {
    const std::ptrdiff_t offset = (copy - at_) * copy_bytes_;
    for (ConstStrided& operand : operands_) {
        operand.data = static_cast<const std::byte*>(operand.data) + offset;
    }
    for (Strided& result : results_) {
        result.data = static_cast<std::byte*>(result.data) + offset;
    }
    at_ = copy;
}

void GpuTurns::enqueue_next() const {
    move_to(at_ + 1 == copies_ ? 0 : at_ + 1);
    prepared_.call(operands_, results_);
}

void GpuTurns::run_first() const {
    move_to(0);
    prepared_.call(operands_, results_);
    stopwatch_.wait();
}

double GpuTurns::seconds(std::int64_t count) const {
    stopwatch_.start();
    for (std::int64_t i = 0; i < count; ++i) {
        enqueue_next();
    }
    return stopwatch_.stop();
}

double GpuTurns::enqueue_seconds() const {
    stopwatch_.wait();
    const Clock::time_point start = Clock::now();
    enqueue_next();
    const double seconds = seconds_since(start);
    stopwatch_.wait();
    return seconds;
}

}  // namespace matgrad::bench
