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

/// A plan on one device or on all, run from host memory.
class HostRun {
public:
    HostRun(Program program, const gpu::ExecutorOptions& options);

    RunSummary operator()(const PipelineData& data, HostResults& results);
    /// The same from and to copies in pinned memory.
    RunSummary from_pinned_memory(const PipelineData& data, HostResults& results);
    void take_at_most(std::size_t bytes);
    /// Of all results, in the runs from here on.
    void add_to(double beta) { beta_.assign(program_.outputs.size(), beta); }
    void release() const { executor_->release(); }
    /// The hook refuses at its nth call; never if negative.
    void refuse_after(int calls) { refuse_after_ = calls; }
    /// What the hook was told in the last run.
    [[nodiscard]] const std::vector<std::int64_t>& reports() const { return reports_; }
    [[nodiscard]] std::size_t device_memory() const { return options_.device_memory; }
    /// Of one device.
    [[nodiscard]] std::size_t workspace_bytes() const;

private:
    RunSummary run(std::int64_t batch, std::span<const ConstStrided> operands,
                   std::span<const Strided> results, std::span<std::int32_t> status);

    Program program_;
    gpu::ExecutorOptions options_;
    std::unique_ptr<const Executor> executor_;
    std::vector<double> beta_;
    int refuse_after_ = -1;
    std::vector<std::int64_t> reports_;
};

/// With the least workspace, and memory for a few hundred problems beside it.
[[nodiscard]] HostRun small_run(const Pipeline& pipeline, bool mean = false,
                                bool all_devices = false,
                                GpuExecutor executor = GpuExecutor::automatic);

}  // namespace matgrad::test
