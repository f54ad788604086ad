#pragma once
/// \file The pipeline on a batch in host memory.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "cuda/device_memory.hpp"
#include "cuda/module.hpp"
#include "executors/pipeline.hpp"

namespace matgrad::test {

/// What comes back. Of a pipeline without sums, those stay as they are.
struct HostResults {
    Matrices sum, flipped, total, HC, V, G;
    std::vector<std::int32_t> status;
    const Pipeline* pipeline;

    HostResults(const Pipeline& p, std::int64_t batch, Order order = Order::rows,
                bool reversed = false);
    [[nodiscard]] std::vector<Matrices*> all();
    /// The same status, and results as near as those of another length of batch are promised to be.
    void expect_like(const HostResults& other) const;
    /// Sum of |HC| over the problems that succeeded.
    [[nodiscard]] double absolute_sum(std::int64_t r, std::int64_t c) const;
};

/// A plan on some devices, run from host memory.
class HostRun {
public:
    HostRun(const Program& program, const gpu::ExecutorOptions& options,
            const std::vector<int>& devices = {0});

    RunSummary operator()(const PipelineData& data, HostResults& results);
    /// The same from and to copies in pinned memory.
    RunSummary from_pinned_memory(const PipelineData& data, HostResults& results);
    void take_at_most(std::size_t bytes) { device_memory_ = bytes; }
    /// The hook refuses at its nth call; never if negative.
    void refuse_after(int calls) { refuse_after_ = calls; }
    /// What the hook was told in the last run.
    [[nodiscard]] const std::vector<std::int64_t>& reports() const { return reports_; }
    [[nodiscard]] std::size_t device_memory() const { return device_memory_; }
    [[nodiscard]] const gpu::Executor& executor() const { return *executors_.front(); }

private:
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::span<std::int32_t> status);

    std::vector<std::unique_ptr<const gpu::Executor>> executors_;
    std::size_t device_memory_ = 0;
    int refuse_after_ = -1;
    std::vector<std::int64_t> reports_;
};

/// With the least workspace, and memory for a few hundred problems beside it.
[[nodiscard]] HostRun small_run(const Pipeline& pipeline, bool mean = false,
                                const std::vector<int>& devices = {0});

}  // namespace matgrad::test
