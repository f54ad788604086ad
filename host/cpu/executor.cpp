#include "cpu/executor.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "cpu/run.hpp"
#include "cpu/single/plan.hpp"

namespace matgrad {

CpuExecutor::CpuExecutor(Program program, int threads, const CpuOptions& options)
    : plan_(std::make_unique<const detail::RunPlan>(std::move(program), options.layout)),
      threads_(threads),
      options_(options) {
    if (!options.layout && options.single.value_or(detail::is_for_few(plan_->program))) {
        single_ = detail::make_single_plan(plan_->program, plan_->shape_status);
    }
}
CpuExecutor::~CpuExecutor() = default;

const Program& CpuExecutor::program() const noexcept {
    return plan_->program;
}

std::size_t CpuExecutor::workspace_bytes() const noexcept {
    return static_cast<std::size_t>(plan_->workspace_bytes(threads_));
}

std::string CpuExecutor::explain() const {
    return fmt::format(
        "cpu: {}, {} thread{}\n  workspace {} bytes: {} of a run, {} of each thread\n",
        single_ != nullptr ? single_->explain() : plan_->choice.reason, threads_,
        threads_ == 1 ? "" : "s", workspace_bytes(), plan_->workspace_bytes(0),
        plan_->thread_bytes());
}

std::int64_t CpuExecutor::part_size(std::int64_t whole) const noexcept {
    return plan_->tile_of(whole);
}

std::size_t CpuExecutor::part_bytes() const noexcept {
    return static_cast<std::size_t>(plan_->sums_bytes);
}

RunSummary CpuExecutor::run(const HostCall& call, const RunHooks& hooks) const {
    if (single_ != nullptr) {
        return single_->run_all(call, hooks, threads_);
    }
    const auto run_in = [&](std::span<std::byte> workspace, int workers) {
        return detail::run_batch(*plan_, call, workspace.data(), threads_, workers,
                                 options_.always_threads, hooks);
    };
    if (!call.workspace.empty()) {
        return run_in(call.workspace, threads_);
    }
    const std::int64_t whole = call.part != nullptr ? call.part->whole : call.batch;
    int workers = plan_->workers_of(whole, threads_);
    const auto bytes = [&] { return static_cast<std::size_t>(plan_->workspace_bytes(workers)); };
    detail::KeptWorkspaces::Loan kept(kept_);
    while (!kept.resize(bytes())) {  // where memory is short, fewer tiles at once
        if (workers == 1) {
            throw std::bad_alloc();
        }
        workers = (workers + 1) / 2;
    }
    return run_in(kept.span(), workers);
}

}  // namespace matgrad
