#pragma once
/// \file One case in the memory of a GPU, ready to be enqueued.

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/data.hpp"
#include "bench/runner.hpp"
#include "cuda/module.hpp"

namespace matgrad::bench {

class GpuCase {
public:
    /// Makes the plan and uploads the operands, in as many copies as `copies` (0: beyond the cache).
    /// Errors: those of make_plan; MachineError.
    GpuCase(const Case& c, const gpu::Module& module, const DeviceInfo& device,
            std::int64_t copies);

    [[nodiscard]] std::int64_t copies() const noexcept { return copies_; }
    /// Runs copy 0 and downloads its results: one contiguous array each.
    [[nodiscard]] std::vector<std::vector<std::byte>> results() const;
    /// Enqueues `count` runs on copies in turn, waits, and gives the seconds that the device took for
    /// them. `host_seconds`, unless null, is increased by what enqueueing took.
    [[nodiscard]] double seconds(std::int64_t count, double* host_seconds = nullptr) const;

private:
    void enqueue(std::int64_t copy) const;

    Case c_;
    Plan plan_;
    Layout layout_;
    std::unique_ptr<gpu::Stopwatch> stopwatch_;
    std::int64_t copies_ = 1;
    std::byte* memory_ = nullptr;
    std::byte* workspace_ = nullptr;
    std::int32_t* status_ = nullptr;
    mutable std::vector<ConstBatch> operands_;
    mutable std::vector<Batch> results_;
    mutable std::int64_t next_ = 0;
};

}  // namespace matgrad::bench
