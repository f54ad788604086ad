#include "matgrad/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "api/arguments.hpp"
#include "api/cpu_run.hpp"
#include "api/device_choice.hpp"
#include "api/gpu_run.hpp"
#include "api/plan_cost.hpp"
#include "api/plan_making.hpp"
#include "api/workspace.hpp"
#include "check/run_check.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kDeviceWorkspaceAlignment = 256;

int thread_count(int asked) {
    return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

struct Plan::Impl {
    Expr f;
    PlanOptions options;  ///< as they were given
    std::vector<Operand> operands;
    std::vector<OutputInfo> outputs;
    ScalarType type = ScalarType::float64;
    std::vector<std::size_t> operand_of;  ///< of each of the program's operands, its place in ours
    detail::DeviceChoice choice;
    std::unique_ptr<const detail::CpuRun> cpu;  ///< one of the two
    std::unique_ptr<const detail::GpuRun> gpu;

    [[nodiscard]] detail::RunContract contract() const { return {operands, outputs, type}; }
    [[nodiscard]] std::vector<ConstBatch> in_program_order(
        std::span<const ConstBatch> given) const {
        std::vector<ConstBatch> ordered;
        ordered.reserve(operand_of.size());
        for (const std::size_t index : operand_of) {
            ordered.push_back(given[index]);
        }
        return ordered;
    }
};

const std::vector<Operand>& Plan::operands() const {
    return impl_->operands;
}

const std::vector<OutputInfo>& Plan::outputs() const {
    return impl_->outputs;
}

Device Plan::device() const {
    return impl_->choice.device;
}

std::size_t Plan::workspace_bytes() const {
    return impl_->cpu ? impl_->cpu->workspace_bytes() : impl_->gpu->workspace_bytes();
}

PlanCost Plan::cost() const {
    return detail::cost_of(impl_->cpu ? impl_->cpu->program() : impl_->gpu->program(),
                           impl_->outputs);
}

std::string Plan::explain() const {
    const auto& [device, module, reason] = impl_->choice;
    const std::string chosen =
        reason.empty() ? "" : fmt::format("device {}: {}\n", to_text(device), reason);
    return impl_->cpu ? to_text(impl_->cpu->program()) + chosen + impl_->cpu->explain()
                      : to_text(impl_->gpu->program()) + chosen + impl_->gpu->explain();
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstBatch> operands,
                     std::span<const Batch> results, std::span<std::int32_t> status,
                     std::span<std::byte> workspace, const RunHooks& hooks) const {
    if (!impl_->cpu) {
        throw OperandError(fmt::format(
            "run with a workspace is for plans on the processor, and this one is on {}: expected "
            "run without one for host memory{}",
            to_text(device()), impl_->gpu->is_single() ? ", or enqueue for device memory" : ""));
    }
    detail::RunContract contract = impl_->contract();
    contract.workspace_bytes = impl_->cpu->workspace_bytes();
    detail::check_run(contract, batch, operands, results, status, workspace);
    return impl_->cpu->run(batch, impl_->in_program_order(operands), results, status, workspace,
                           hooks);
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstBatch> operands,
                     std::span<const Batch> results, std::span<std::int32_t> status,
                     const RunHooks& hooks) const {
    if (impl_->cpu) {
        const detail::Workspace workspace(workspace_bytes());
        return run(batch, operands, results, status, workspace.span(), hooks);
    }
    detail::check_run(impl_->contract(), batch, operands, results, status, {});
    return impl_->gpu->run(batch, impl_->in_program_order(operands), results, status, hooks);
}

void Plan::enqueue(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::int32_t* status, void* workspace,
                   std::size_t workspace_bytes, void* stream) const {
    if (impl_->cpu || !impl_->gpu->is_single()) {
        throw OperandError(
            fmt::format("enqueue is for plans on one GPU, and this one is on {}: expected run, "
                        "which takes host memory",
                        to_text(device())));
    }
    detail::RunContract contract = impl_->contract();
    contract.workspace_bytes = impl_->gpu->workspace_bytes();
    contract.workspace_alignment = kDeviceWorkspaceAlignment;
    const auto entries =
        static_cast<std::size_t>(status == nullptr ? 0 : std::max<std::int64_t>(batch, 0));
    detail::check_run(contract, batch, operands, results, {status, entries},
                      {static_cast<const std::byte*>(workspace), workspace_bytes});
    gpu::DeviceCall call;
    const std::vector<ConstBatch> ordered = impl_->in_program_order(operands);
    call.batch = batch;
    call.operands = ordered;
    call.results = results;
    call.status = status;
    call.workspace = workspace;
    call.workspace_bytes = workspace_bytes;
    call.stream = stream;
    impl_->gpu->enqueue(call);
}

CheckReport Plan::check(std::int64_t batch, std::span<const ConstBatch> operands,
                        std::span<const Batch> results, std::span<const std::int32_t> status,
                        std::span<const std::int64_t> problems) const {
    detail::check_run(impl_->contract(), batch, operands, results, status, {});
    detail::CheckedPlan plan{impl_->f, impl_->options, impl_->operands, impl_->outputs};
    plan.options.device = device();
    return detail::check_results(plan, {batch, operands, results, status}, problems);
}

Plan make_plan(const Expr& f, std::span<const Operand> operands, std::int64_t batch,
               const PlanOptions& options) {
    const PlanRequest request = detail::make_request(f, operands, batch, options);
    std::vector<OutputInfo> outputs = detail::output_infos(request);
    Program program = make_program(request);
    std::vector<gpu::OutputForm> forms = detail::output_forms(program, outputs, options.reduction);
    const int threads = thread_count(options.threads);

    auto impl = std::make_shared<Plan::Impl>();
    impl->f = f;
    impl->options = options;
    impl->operands = request.operands;
    impl->outputs = outputs;
    impl->type = options.type;
    impl->operand_of = detail::operand_places(program, operands);
    impl->choice = detail::choose_device(options.device, program, threads);
    if (impl->choice.module == nullptr) {
        impl->cpu = std::make_unique<detail::CpuRun>(std::move(program), std::move(outputs),
                                                     std::move(forms), threads);
    } else {
        impl->gpu = std::make_unique<detail::GpuRun>(
            *impl->choice.module, program, std::move(forms), impl->choice.device, options, threads);
    }
    return Plan(std::move(impl));
}

}  // namespace matgrad
