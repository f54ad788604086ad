#include "cuda/library/fused_step.hpp"

#include <fmt/format.h>

#include <utility>

#include "cuda/fused/panel_plan.hpp"
#include "cuda/fused/source.hpp"

namespace matgrad::gpu {
namespace {

std::int64_t most_block_bytes(int device) {
    int bytes = 0;
    MATGRAD_CUDA(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    return bytes - kBytesOfPrimitives;
}

}  // namespace

std::unique_ptr<const FusedStep> FusedStep::make(StepSetup& setup, GpuExecutor choice,
                                                 std::string& reason) {
    FusedDescription what = describe_fused(setup.program());
    if (!what.is_fused()) {
        reason = what.reason;
        return nullptr;
    }
    const FusedConfiguration configuration = configure_fused(
        setup.program(), what, setup.thresholds(), most_block_bytes(setup.device()));
    if (!configuration.reason.empty()) {
        reason = configuration.reason;
        return nullptr;
    }
    const std::int64_t batch = setup.program().batch;
    if (choice == GpuExecutor::automatic && configuration.panels != nullptr &&
        batch < setup.limit(Limit::fused_panel_batch)) {
        reason = fmt::format("{} large problem{} would keep as many blocks busy", batch,
                             batch == 1 ? "" : "s");
        return nullptr;
    }
    what = with_stored(std::move(what), configuration);
    return std::unique_ptr<const FusedStep>(new FusedStep(setup, std::move(what), configuration));
}

FusedStep::FusedStep(StepSetup& setup, FusedDescription what,
                     const FusedConfiguration& configuration)
    : what_(std::move(what)),
      read_(what_.shared_inputs),
      kept_(what_.kept),
      threads_(configuration.threads),
      teams_(configuration.teams),
      block_bytes_(configuration.block_bytes()),
      panels_(configuration.panels == nullptr ? "" : panels_text(*configuration.panels)) {
    read_.insert(read_.end(), what_.inputs.begin(), what_.inputs.end());
    kernel_ = setup.kernels().add_fused(fused_text(setup.program(), what_, configuration),
                                        fused_matrices(what_), configuration.block(),
                                        configuration.teams, configuration.block_bytes());
}

void FusedStep::enqueue(StepRun& run) const {
    std::vector<DeviceView> matrices;
    std::vector<double> beta;
    const auto add = [&](const DeviceView& view, double added) {
        matrices.push_back(view);
        beta.push_back(added);
    };
    for (const ValueId id : read_) {
        add(run.value(id), 0);
    }
    for (const std::size_t result : what_.results) {
        add(run.results[result], run.beta.empty() ? 0 : run.beta[result]);
    }
    for (const ValueId id : kept_) {
        add(run.value(id), 0);
    }
    const Kernels::FusedCall call{matrices, beta, run.status.data, run.status.shared,
                                  run.status.are_new};
    run.enqueue("fused kernel", [&] { run.kernels.fused(kernel_, call, run.batch, run.stream); });
    run.status.are_new = false;
}

bool FusedStep::does(const Step& step) const {
    return step.scope == Scope::problem && step.fold == Fold::none;
}

std::string FusedStep::explain() const {
    return fmt::format(
        "one kernel for {} step{}: {} thread{} to a problem, {} problem{} and {} bytes to a "
        "block{}",
        what_.steps.size(), what_.steps.size() == 1 ? "" : "s", threads_, threads_ == 1 ? "" : "s",
        teams_, teams_ == 1 ? "" : "s", block_bytes_, panels_);
}

}  // namespace matgrad::gpu
