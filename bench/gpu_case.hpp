#pragma once
/// \file One case in the memory of a GPU, and a contender made ready for it.

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/data.hpp"
#include "bench/gpu_contender.hpp"

namespace matgrad::bench {

/// The operands, in copies that take turns, and room for the results of each.
class GpuCase {
public:
    /// Uploads the operands, in as many copies as `copies` (0: beyond the cache). Errors: MachineError.
    GpuCase(const Case& c, const gpu::Module& module, const DeviceInfo& device,
            std::int64_t copies);

    [[nodiscard]] std::int64_t copies() const noexcept { return copies_; }
    [[nodiscard]] gpu::Stopwatch& stopwatch() const noexcept { return *stopwatch_; }
    [[nodiscard]] const std::vector<OutputInfo>& outputs() const noexcept { return outputs_; }
    /// Of the first copy.
    [[nodiscard]] std::vector<ConstStrided> operands() const {
        return layout_.operands_at(memory_, case_);
    }
    [[nodiscard]] std::vector<Strided> results() const {
        return layout_.results_at(memory_, outputs_);
    }
    [[nodiscard]] std::size_t copy_bytes() const noexcept { return layout_.bytes; }
    /// One result of one problem of the first copy.
    [[nodiscard]] Eigen::MatrixXd result(std::size_t output, std::int64_t problem) const;
    /// Makes that NaN.
    void spoil(std::size_t output, std::int64_t problem) const;
    /// The contender on at most `most` of the copies. What it allocates lives as long as this.
    /// Errors: those of the contender; MachineError.
    [[nodiscard]] Prepared prepare(const GpuContender& contender, std::int64_t most) const;

private:
    void upload() const;
    /// Where the result of a problem lies in the first copy, and its bytes.
    [[nodiscard]] std::span<std::byte> place_of(std::size_t output, std::int64_t problem) const;

    Case case_;
    std::vector<OutputInfo> outputs_;
    Layout layout_;
    DeviceInfo device_;
    std::unique_ptr<gpu::Stopwatch> stopwatch_;
    std::int64_t copies_ = 1;
    std::byte* memory_ = nullptr;
};

/// A contender on the copies of a case, in turn. It goes before the case does.
class GpuTurns {
public:
    /// Errors: those of the contender; MachineError.
    GpuTurns(const GpuCase& on_gpu, const GpuContender& contender);

    [[nodiscard]] std::int64_t copies() const noexcept { return copies_; }
    [[nodiscard]] double plan_seconds() const noexcept { return prepared_.plan_seconds; }
    /// Runs copy 0 and waits.
    void run_first() const;
    /// Enqueues `count` runs, waits, and gives the seconds that the device took for them.
    [[nodiscard]] double seconds(std::int64_t count) const;
    /// Enqueues one run while the device has nothing to do, waits, and gives the seconds of the host until
    /// the call returned.
    [[nodiscard]] double enqueue_seconds() const;

private:
    void move_to(std::int64_t copy) const;
    void enqueue_next() const;

    gpu::Stopwatch& stopwatch_;
    std::int64_t copies_;
    std::ptrdiff_t copy_bytes_;
    mutable std::vector<ConstStrided> operands_;  // of copy at_
    mutable std::vector<Strided> results_;
    mutable std::int64_t at_ = 0;
    Prepared prepared_;
};

}  // namespace matgrad::bench
