#include "api/gpu_run.hpp"

#include <utility>

namespace matgrad::detail {

GpuRun::GpuRun(const gpu::Module& module, const Program& program,
               std::vector<gpu::OutputForm> forms, const Device& device, const PlanOptions& options,
               int threads)
    : module_(module), device_(device), device_memory_(options.device_memory), threads_(threads) {
    std::vector<int> indices;
    if (is_single()) {
        indices = {device.index};
    } else {
        for (const DeviceInfo& info : module.devices()) {
            indices.push_back(info.index);
        }
    }
    gpu::ExecutorOptions executor;
    executor.tf32 = options.tf32;
    executor.capturable = options.capturable;
    executor.outputs = std::move(forms);
    // The other half holds operands and results.
    executor.workspace_limit = options.device_memory / 2;
    for (const int index : indices) {
        executor.device = index;
        executors_.push_back(module.make_executor(program, executor));
    }
}

std::size_t GpuRun::workspace_bytes() const {
    return is_single() ? executors_.front()->workspace_bytes() : 0;
}

std::string GpuRun::explain() const {
    std::string text;
    for (const auto& executor : executors_) {
        text += executor->explain();
    }
    return text;
}

RunSummary GpuRun::run(std::int64_t batch, std::span<const ConstBatch> operands,
                       std::span<const Batch> results, std::span<std::int32_t> status,
                       const RunHooks& hooks) const {
    std::vector<const gpu::Executor*> executors;
    for (const auto& executor : executors_) {
        executors.push_back(executor.get());
    }
    gpu::HostCall call;
    call.batch = batch;
    call.operands = operands;
    call.results = results;
    call.status = status;
    call.device_memory = device_memory_;
    call.threads = threads_;
    return module_.run_on_host(executors, call, hooks);
}

}  // namespace matgrad::detail
