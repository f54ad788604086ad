#include "cuda/cuda_executor.hpp"

#include <utility>
#include <vector>

#include "cuda/context.hpp"
#include "cuda/host_batches.hpp"
#include "cuda/library_executor.hpp"

namespace matgrad::gpu {
namespace {

class CudaExecutor final : public Executor {
public:
    CudaExecutor(const Program& program, const ExecutorOptions& options)
        : is_single_(!options.all_devices),
          host_options_{options.device_memory, {options.threads, options.run_workers}},
          finisher_(program, options.make_finisher) {
        ExecutorOptions own = options;
        const int first = is_single_ ? options.device : 0;
        const int end = is_single_ ? first + 1 : count_devices();
        for (own.device = first; own.device < end; ++own.device) {
            executors_.push_back(make_library_executor(program, own));
        }
    }

    [[nodiscard]] const Program& program() const noexcept override {
        return executors_.front()->program();
    }
    [[nodiscard]] WorkspaceMemory workspace_memory() const noexcept override {
        return is_single_ ? WorkspaceMemory::device : WorkspaceMemory::none;
    }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
        return is_single_ ? executors_.front()->workspace_bytes() : 0;
    }
    [[nodiscard]] std::string explain() const override {
        std::string text;
        for (const auto& executor : executors_) {
            text += executor->explain();
        }
        return text;
    }
    RunSummary run(const HostCall& call, const RunHooks& hooks) const override {
        return run_host_batch(executors_, call, host_options_, finisher_, hooks);
    }
    void release() const noexcept override {
        for (const auto& executor : executors_) {
            executor->release();
        }
        finisher_.release();
    }
    void enqueue(const DeviceCall& call) const override {
        if (!is_single_) {
            return Executor::enqueue(call);
        }
        executors_.front()->enqueue(call);
    }

private:
    bool is_single_;
    HostOptions host_options_;
    Finisher finisher_;
    std::vector<std::unique_ptr<const DeviceExecutor>> executors_;  ///< one for each device
};

}  // namespace

std::unique_ptr<const Executor> make_cuda_executor(const Program& program,
                                                   const ExecutorOptions& options) {
    return std::make_unique<CudaExecutor>(program, options);
}

}  // namespace matgrad::gpu
