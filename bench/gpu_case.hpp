#pragma once
/// \file One case in the memory of a GPU, ready to be enqueued.

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/data.hpp"
#include "bench/gpu_contender.hpp"

namespace matgrad::bench {

class GpuCase {
public:
    /// Uploads the operands, in as many copies as `copies` (0: beyond the cache), and makes the
    /// contender ready. Errors: those of the contender; MachineError.
    GpuCase(const Case& c, const GpuContender& contender, const gpu::Module& module,
            const DeviceInfo& device, std::int64_t copies);

    [[nodiscard]] std::int64_t copies() const noexcept { return copies_; }
    /// Runs copy 0 and downloads its results: one contiguous array each.
    [[nodiscard]] std::vector<std::vector<std::byte>> results() const;
    /// Enqueues `count` runs on copies in turn, waits, and gives the seconds that the device took for
    /// them. `host_seconds`, unless null, is increased by what enqueueing took.
    [[nodiscard]] double seconds(std::int64_t count, double* host_seconds = nullptr) const;

private:
    void upload(const Case& c) const;
    void enqueue(std::int64_t copy) const;

    std::vector<OutputInfo> outputs_;
    std::vector<std::size_t> result_bytes_;
    Layout layout_;
    std::unique_ptr<gpu::Stopwatch> stopwatch_;
    std::int64_t copies_ = 1;
    std::byte* memory_ = nullptr;
    mutable std::vector<ConstBatch> operands_;
    mutable std::vector<Batch> results_;
    Call call_;
    mutable std::int64_t next_ = 0;
};

}  // namespace matgrad::bench
