#pragma once
/// \file A plan on one GPU or on all: executors of the CUDA module.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/module.hpp"
#include "matgrad/plan.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

class GpuRun {
public:
    /// `device` is of kind cuda; `options` tell what PlanOptions say of GPUs and threads.
    /// Errors: OperandError for a GPU that does not exist; UnsupportedError; MachineError.
    GpuRun(const gpu::Module& module, const Program& program, std::vector<gpu::OutputForm> forms,
           const Device& device, const PlanOptions& options, int threads);

    [[nodiscard]] const Program& program() const { return executors_.front()->program(); }
    [[nodiscard]] bool is_single() const { return device_.index != Device::kAll; }
    /// Of enqueue; 0 unless there is one GPU.
    [[nodiscard]] std::size_t workspace_bytes() const;
    [[nodiscard]] std::string explain() const;

    /// Host memory, checked; operands in the order of the Program.
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::span<std::int32_t> status,
                   const RunHooks& hooks) const;
    /// Device memory of the one GPU. Operands in the order of the Program.
    void enqueue(const gpu::DeviceCall& call) const { executors_.front()->enqueue(call); }

private:
    const gpu::Module& module_;
    Device device_;
    std::size_t device_memory_;
    int threads_;
    std::vector<std::unique_ptr<const gpu::Executor>> executors_;  ///< one per device
};

}  // namespace matgrad::detail
