#pragma once
/// \file A plan on the processor: the CPU executor, and what is left to do with its results.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cpu/executor.hpp"
#include "cuda/module.hpp"
#include "matgrad/plan.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

class CpuRun {
public:
    /// `outputs` and `forms`: one per output of the Program. `threads` as in PlanOptions.
    CpuRun(Program program, std::vector<OutputInfo> outputs, std::vector<gpu::OutputForm> forms,
           int threads);

    [[nodiscard]] const Program& program() const noexcept { return executor_.program(); }
    [[nodiscard]] std::size_t workspace_bytes() const { return executor_bytes_ + scratch_bytes_; }
    [[nodiscard]] std::string explain() const;

    /// The arguments are checked; operands in the order of the Program.
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks) const;

private:
    template <typename T>
    void finish(std::span<const Batch> computed, std::span<const Batch> results, std::int64_t batch,
                std::span<const std::int32_t> status, const RunSummary& summary) const;

    CpuExecutor executor_;
    std::vector<OutputInfo> outputs_;
    std::vector<gpu::OutputForm> forms_;
    std::size_t executor_bytes_ = 0;
    std::size_t scratch_bytes_ = 0;  ///< for results computed once and written for every problem
};

}  // namespace matgrad::detail
