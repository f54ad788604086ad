#include "matgrad/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "api/arguments.hpp"
#include "api/device_choice.hpp"
#include "api/pass_trace.hpp"
#include "api/plan_cost.hpp"
#include "api/plan_making.hpp"
#include "check/run_check.hpp"
#include "cpu/cpu_executor.hpp"
#include "executor/workers.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kDeviceWorkspaceAlignment = 256;

int thread_count(int asked) {
    return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

gpu::ExecutorOptions gpu_options(const Device& device, const PlanOptions& options, int threads) {
    gpu::ExecutorOptions result;
    result.all_devices = device.index == Device::kAll;
    result.device = result.all_devices ? 0 : device.index;
    result.tf32 = options.tf32;
    result.capturable = options.capturable;
    result.device_memory = options.device_memory;
    // The other half holds operands and results.
    result.workspace_limit = options.device_memory / 2;
    result.threads = threads;
    result.run_workers = detail::run_workers;
    return result;
}

}  // namespace

struct Plan::Impl {
    Expr f;
    PlanOptions options;  ///< as they were given
    std::vector<Operand> operands;
    std::vector<OutputInfo> outputs;
    ScalarType type = ScalarType::float64;
    std::vector<std::size_t> operand_of;  ///< Program operand i is caller operand operand_of[i]
    Device device;                        ///< never automatic
    std::string why_device;               ///< empty if it was asked for
    std::string passes;                   ///< for `explain`, or empty
    std::unique_ptr<const Executor> executor;

    [[nodiscard]] detail::RunContract contract() const { return {operands, outputs, type}; }
    [[nodiscard]] std::vector<ConstStrided> in_program_order(
        std::span<const ConstStrided> given) const {
        std::vector<ConstStrided> ordered;
        ordered.reserve(operand_of.size());
        for (const std::size_t index : operand_of) {
            ordered.push_back(given[index]);
        }
        return ordered;
    }
    /// The arguments are checked.
    RunSummary run(std::int64_t batch, std::span<const ConstStrided> given,
                   std::span<const Strided> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks) const {
        const std::vector<ConstStrided> ordered = in_program_order(given);
        return executor->run({batch, ordered, results, status, workspace}, hooks);
    }
};

const std::vector<Operand>& Plan::operands() const {
    return impl_->operands;
}

const std::vector<OutputInfo>& Plan::outputs() const {
    return impl_->outputs;
}

Device Plan::device() const {
    return impl_->device;
}

std::size_t Plan::workspace_bytes() const {
    return impl_->executor->workspace_bytes();
}

PlanCost Plan::cost() const {
    return detail::cost_of(impl_->executor->program(), impl_->outputs);
}

std::string Plan::explain() const {
    const std::string chosen =
        impl_->why_device.empty()
            ? ""
            : fmt::format("device {}: {}\n", to_text(device()), impl_->why_device);
    return impl_->passes + to_text(impl_->executor->program()) + chosen +
           impl_->executor->explain();
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstStrided> operands,
                     std::span<const Strided> results, std::span<std::int32_t> status,
                     std::span<std::byte> workspace, const RunHooks& hooks) const {
    const WorkspaceMemory memory = impl_->executor->workspace_memory();
    if (memory != WorkspaceMemory::host) {
        throw OperandError(fmt::format(
            "run with a workspace is for plans on the processor, and this one is on {}: expected "
            "run without one for host memory{}",
            to_text(device()),
            memory == WorkspaceMemory::device ? ", or enqueue for device memory" : ""));
    }
    detail::RunContract contract = impl_->contract();
    contract.workspace_bytes = workspace_bytes();
    detail::check_run(contract, batch, operands, results, status, workspace);
    return impl_->run(batch, operands, results, status, workspace, hooks);
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstStrided> operands,
                     std::span<const Strided> results, std::span<std::int32_t> status,
                     const RunHooks& hooks) const {
    detail::check_run(impl_->contract(), batch, operands, results, status, {});
    return impl_->run(batch, operands, results, status, {}, hooks);
}

void Plan::enqueue(std::int64_t batch, std::span<const ConstStrided> operands,
                   std::span<const Strided> results, std::int32_t* status, void* workspace,
                   std::size_t workspace_bytes, void* stream) const {
    if (impl_->executor->workspace_memory() != WorkspaceMemory::device) {
        throw OperandError(
            fmt::format("enqueue is for plans on one GPU, and this one is on {}: expected run, "
                        "which takes host memory",
                        to_text(device())));
    }
    detail::RunContract contract = impl_->contract();
    contract.workspace_bytes = this->workspace_bytes();
    contract.workspace_alignment = kDeviceWorkspaceAlignment;
    const auto entries =
        static_cast<std::size_t>(status == nullptr ? 0 : std::max<std::int64_t>(batch, 0));
    detail::check_run(contract, batch, operands, results, {status, entries},
                      {static_cast<const std::byte*>(workspace), workspace_bytes});
    const std::vector<ConstStrided> ordered = impl_->in_program_order(operands);
    DeviceCall call;
    call.batch = batch;
    call.operands = ordered;
    call.results = results;
    call.status = status;
    call.workspace = workspace;
    call.workspace_bytes = workspace_bytes;
    call.stream = stream;
    impl_->executor->enqueue(call);
}

CheckReport Plan::check(std::int64_t batch, std::span<const ConstStrided> operands,
                        std::span<const Strided> results, std::span<const std::int32_t> status,
                        std::span<const std::int64_t> problems) const {
    detail::check_run(impl_->contract(), batch, operands, results, status, {});
    detail::CheckedPlan plan{impl_->f, impl_->options, impl_->operands, impl_->outputs};
    plan.options.device = device();
    return detail::check_results(plan, {batch, operands, results, status}, problems);
}

Plan make_plan(const Expr& f, std::span<const Operand> operands, std::int64_t batch,
               const PlanOptions& options) {
    const PlanRequest request = detail::make_request(f, operands, batch, options);
    auto impl = std::make_shared<Plan::Impl>();
    impl->f = f;
    impl->options = options;
    impl->operands = request.operands;
    impl->outputs = detail::output_infos(request);
    impl->type = options.type;
    detail::PassTrace trace;
    Program program = make_program(request, options.explain_passes ? trace.observer() : nullptr);
    impl->passes = trace.take();
    impl->operand_of = detail::operand_places(program, operands);
    const int threads = thread_count(options.threads);
    detail::DeviceChoice choice = detail::choose_device(options.device, program, threads);
    impl->device = choice.device;
    impl->why_device = std::move(choice.reason);
    impl->executor = choice.module == nullptr
                         ? make_cpu_executor(std::move(program), threads)
                         : choice.module->make_executor(
                               std::move(program), gpu_options(choice.device, options, threads));
    return Plan(std::move(impl));
}

}  // namespace matgrad
