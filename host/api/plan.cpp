#include "matgrad/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "api/arguments.hpp"
#include "api/binding.hpp"
#include "api/callers_functions.hpp"
#include "api/device_choice.hpp"
#include "api/finite_check.hpp"
#include "api/linear_plan.hpp"
#include "api/memory_checks.hpp"
#include "api/pass_trace.hpp"
#include "api/plan_cost.hpp"
#include "api/plan_making.hpp"
#include "api/quick_call.hpp"
#include "check/run_check.hpp"
#include "check/structure_check.hpp"
#include "cpu/cpu_executor.hpp"
#include "executor/workers.hpp"
#include "expression/guarded.hpp"
#include "expression/node.hpp"

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
    result.executor = options.executor;
    result.capturable = options.capturable;
    result.gathers = options.gathers;
    result.device_memory = options.device_memory;
    // The other half holds operands and results.
    result.workspace_limit = options.device_memory / 2;
    result.threads = threads;
    result.run_workers = detail::run_workers;
    result.make_finisher = [threads](Program program) {
        return make_cpu_executor(std::move(program), threads);
    };
    return result;
}

void check_part(const BatchParts& parts, const HostCall& call) {
    const std::int64_t left = parts.problems() - parts.done();
    if (call.batch != left && (call.batch > left || call.batch % parts.multiple() != 0)) {
        throw OperandError(fmt::format(
            "the part has {} problems: expected a multiple of {}, or the {} that are left",
            call.batch, parts.multiple(), left));
    }
    const bool has_beta =
        std::any_of(call.beta.begin(), call.beta.end(), [](double beta) { return beta != 0; });
    if (has_beta || !call.rows.empty()) {
        throw OperandError("a part of a batch has rows or beta: expected neither");
    }
}

}  // namespace

struct Plan::Impl {
    Expr f;
    PlanOptions options;  ///< as they were given
    std::vector<Operand> operands;
    std::vector<OutputInfo> outputs;
    std::vector<std::string> operand_names;
    std::vector<std::string> output_names;
    ScalarType type = ScalarType::float64;
    std::vector<std::size_t> operand_of;  ///< Program operand i is caller operand operand_of[i]
    detail::QuickBinding quick;
    Device device;           ///< never automatic
    std::string why_device;  ///< empty if it was asked for
    std::string passes;      ///< for `explain`, or empty
    std::unique_ptr<const Executor> executor;
    std::function<std::unique_ptr<const Executor>(Program)> make_executor;
    mutable std::once_flag linear_once;
    mutable std::shared_ptr<const detail::LinearPlan> linear;  ///< made when first asked for

    [[nodiscard]] detail::RunContract contract() const {
        return {operands, outputs, operand_names, output_names, type};
    }
    /// Operands in the order of the Program.
    [[nodiscard]] std::span<const ConstStrided> in_program_order(
        std::span<const ConstStrided> given, detail::CallMemory& memory) const {
        const auto ordered = memory.list<ConstStrided>(operand_of.size());
        for (std::size_t i = 0; i < ordered.size(); ++i) {
            ordered[i] = given[operand_of[i]];
        }
        return ordered;
    }
    /// Any call, checked argument by argument.
    RunSummary run(std::span<const OperandView> given, std::span<const ResultView> results,
                   std::span<std::int32_t> status, const RunOptions& run_options) const;
};

const Plan::Impl& Plan::impl() const try {
    if (impl_ == nullptr) {
        throw OperandError("the plan is empty: expected one that make_plan made");
    }
    return *impl_;
} catch (...) {
    detail::throw_as_matgrad();
}

const std::vector<Operand>& Plan::operands() const {
    return impl().operands;
}

const std::vector<OutputInfo>& Plan::outputs() const {
    return impl().outputs;
}

ScalarType Plan::type() const {
    return impl().type;
}

Device Plan::device() const {
    return impl().device;
}

std::size_t Plan::workspace_bytes() const {
    return impl().executor->workspace_bytes();
}

PlanCost Plan::cost() const try {
    return detail::cost_of(impl().executor->program(), impl().outputs);
} catch (...) {
    detail::throw_as_matgrad();
}

std::string Plan::explain() const try {
    const Impl& plan = impl();
    const std::string chosen =
        plan.why_device.empty()
            ? ""
            : fmt::format("device {}: {}\n", to_text(device()), plan.why_device);
    return plan.passes + detail::structure_text(plan.f, plan.options) +
           to_text(plan.executor->program()) + chosen + plan.executor->explain();
} catch (...) {
    detail::throw_as_matgrad();
}

namespace {

/// Nothing but operands, results and status.
bool is_bare(const RunOptions& options) {
    return options.rows.empty() && options.workspace == nullptr && !options.parallel &&
           !options.hooks.advance && !options.check_finite && !options.check_structure &&
           options.parts == nullptr;
}

}  // namespace

RunSummary Plan::run(const OperandViews& operands, const ResultViews& results,
                     std::span<std::int32_t> status, const RunOptions& options) const try {
    const Impl& plan = impl();
    detail::QuickCall quick;
    if (is_bare(options) && plan.quick.bind(operands.span(), results.span(), status, quick)) {
        HostCall call;
        call.batch = quick.batch;
        call.operands = {quick.operands, plan.operand_of.size()};
        call.results = {quick.results, plan.outputs.size()};
        call.status = status;
        return plan.executor->run(call, options.hooks);
    }
    return plan.run(operands.span(), results.span(), status, options);
} catch (...) {
    detail::throw_as_matgrad();
}

RunSummary Plan::Impl::run(std::span<const OperandView> given, std::span<const ResultView> results,
                           std::span<std::int32_t> status, const RunOptions& run_options) const {
    detail::CallMemory memory;
    const detail::RunContract own = contract();
    const detail::BoundCall bound =
        bind_call(own, given, results, detail::count_of(run_options.rows), status.size(), memory);
    detail::check_rows(run_options.rows, bound.problems);
    detail::OtherMemory other;
    other.status = status;
    other.rows = run_options.rows;
    HostCall call;
    if (run_options.workspace != nullptr && executor->workspace_memory() == WorkspaceMemory::host) {
        call.workspace = run_options.workspace->bytes();
        other.workspace = call.workspace;
        other.workspace_needed = executor->workspace_bytes();
    }
    check_memory(own, bound, other, memory);
    const std::span<const ConstStrided> ordered = in_program_order(bound.operands, memory);
    call.batch = bound.batch;
    call.operands = ordered;
    call.results = bound.results;
    call.status = status;
    call.beta = bound.beta;
    call.rows = run_options.rows;
    const detail::CallersFunctions callers(run_options);
    call.parallel = run_options.parallel ? &callers.parallel : nullptr;
    if (run_options.check_structure) {
        detail::require_structures(detail::known_symbols(f, options), operands, type,
                                   bound.operands, bound.problems, run_options.first_problem);
    }
    BatchPart part;
    if (run_options.parts != nullptr) {
        const BatchParts& parts = *run_options.parts;
        check_part(parts, call);
        part = {parts.done(), parts.problems(), parts.failed(), parts.sums_.bytes()};
        call.part = &part;
    }
    RunSummary summary = executor->run(call, callers.hooks);
    if (run_options.parts != nullptr) {
        run_options.parts->done_ += summary.problems;
        run_options.parts->failed_ += summary.failed;
    }
    if (run_options.check_finite) {
        const std::int64_t marked = mark_not_finite(outputs, type, bound, status);
        summary.failed =
            status.empty() ? std::max(summary.failed, marked) : summary.failed + marked;
    }
    return summary;
}

BatchParts::BatchParts(const Plan& plan, std::int64_t problems) try : problems_(problems) {
    if (problems < 0) {
        throw OperandError(
            fmt::format("a batch of {} problems in parts: expected at least 0", problems));
    }
    const Executor& executor = *plan.impl().executor;
    multiple_ = executor.part_size(problems);
    if (multiple_ == 0) {
        throw UnsupportedError(
            fmt::format("{} takes no batch in parts: expected a plan on the processor",
                        to_text(plan.device())));
    }
    for (const ProgramOutput& output : executor.program().outputs) {
        if (output.mean) {
            throw UnsupportedError(
                "a batch in parts has no means: expected a sum, and a division at the end");
        }
    }
    sums_ = Workspace(executor.part_bytes());
} catch (...) {
    detail::throw_as_matgrad();
}

void Plan::enqueue(const OperandViews& operands, const ResultViews& results,
                   const EnqueueOptions& options) const try {
    const Impl& plan = impl();
    if (plan.executor->workspace_memory() != WorkspaceMemory::device) {
        throw OperandError(
            fmt::format("enqueue is for plans on one GPU, and this one is on {}: expected run, "
                        "which takes host memory",
                        to_text(device())));
    }
    detail::CallMemory memory;
    const detail::RunContract contract = plan.contract();
    const detail::BoundCall bound = bind_call(contract, operands.span(), results.span(),
                                              detail::count_of(options.rows), 0, memory);
    detail::OtherMemory other;
    other.rows = options.rows;
    other.status = {options.status,
                    static_cast<std::size_t>(options.status == nullptr ? 0 : bound.batch)};
    other.workspace = {static_cast<const std::byte*>(options.workspace), options.workspace_bytes};
    other.workspace_needed = workspace_bytes();
    other.workspace_alignment = kDeviceWorkspaceAlignment;
    check_memory(contract, bound, other, memory);
    const std::span<const ConstStrided> ordered = plan.in_program_order(bound.operands, memory);
    DeviceCall call;
    call.batch = bound.batch;
    call.operands = ordered;
    call.results = bound.results;
    call.status = options.status;
    call.workspace = options.workspace;
    call.workspace_bytes = options.workspace_bytes;
    call.stream = options.stream;
    call.beta = bound.beta;
    call.rows = options.rows.empty() ? nullptr : options.rows.data();
    plan.executor->enqueue(call);
} catch (...) {
    detail::throw_as_matgrad();
}

CheckReport Plan::check(const OperandViews& operands, const ResultViews& results,
                        std::span<const std::int32_t> status,
                        std::span<const std::int64_t> problems) const try {
    const Impl& plan = impl();
    detail::CallMemory memory;
    const detail::RunContract contract = plan.contract();
    const detail::BoundCall bound =
        bind_call(contract, operands.span(), results.span(), std::nullopt, status.size(), memory);
    check_memory(contract, bound, {.status = status}, memory);
    detail::CheckedPlan checked{plan.f, plan.options, plan.operands, plan.outputs};
    checked.options.device = device();
    while (!checked.outputs.empty() && is_diagnostic(checked.outputs.back().kind)) {
        checked.outputs.pop_back();
    }
    const auto compared = bound.results.first(checked.outputs.size());
    return detail::check_results(checked, {bound.batch, bound.operands, compared, status},
                                 problems);
} catch (...) {
    detail::throw_as_matgrad();
}

Linearization Plan::linearize(const OperandViews& operands, const ResultViews& results,
                              std::span<std::int32_t> status) const try {
    const Impl& plan = impl();
    std::call_once(plan.linear_once, [&plan] {
        std::vector<std::string> directions;
        for (const auto* requests : {&plan.options.hvp, &plan.options.joint_hvp}) {
            for (const HvpRequest& request : *requests) {
                directions.push_back(request.direction);
            }
        }
        plan.linear = detail::make_linear_plan(plan.executor->program(), plan.operands,
                                               plan.outputs, directions, plan.make_executor);
    });
    Linearization result;
    result.point_ = detail::linearize_at(plan.linear, operands.span(), results.span(), status);
    return result;
} catch (...) {
    detail::throw_as_matgrad();
}

void Plan::release() const try { impl().executor->release(); } catch (...) {
    detail::throw_as_matgrad();
}

bool operator==(const Plan& a, const Plan& b) {
    if (a.impl_ == b.impl_ || a.impl_ == nullptr || b.impl_ == nullptr) {
        return a.impl_ == b.impl_;
    }
    return a.impl_->f == b.impl_->f && a.impl_->operands == b.impl_->operands &&
           a.impl_->options == b.impl_->options;
}

Plan make_plan(const Expr& f, std::span<const Operand> operands, const PlanOptions& options) try {
    const PlanRequest request = detail::make_request(f, operands, options);
    auto impl = std::make_shared<Plan::Impl>();
    impl->f = f;
    impl->options = options;
    impl->operands = request.operands;
    impl->outputs = detail::output_infos(request);
    impl->type = options.type;
    for (const Operand& operand : impl->operands) {
        impl->operand_names.push_back(operand.name);
    }
    for (const OutputInfo& output : impl->outputs) {
        impl->output_names.push_back(output_text(output.kind, output.name));
    }
    detail::PassTrace trace;
    Program program = make_program(request, options.explain_passes ? trace.observer() : nullptr);
    impl->passes = trace.take();
    impl->operand_of = detail::operand_places(program, operands);
    impl->quick = detail::QuickBinding(impl->contract(), impl->operand_of);
    const int threads = thread_count(options.threads);
    detail::DeviceChoice choice = detail::choose_device(options.device, program, threads);
    impl->device = choice.device;
    impl->why_device = std::move(choice.reason);
    impl->make_executor = [module = choice.module, threads,
                           gpu = gpu_options(choice.device, options, threads)](Program part) {
        return module == nullptr ? make_cpu_executor(std::move(part), threads)
                                 : module->make_executor(std::move(part), gpu);
    };
    impl->executor = impl->make_executor(std::move(program));
    Plan plan;
    plan.impl_ = std::move(impl);
    return plan;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad

std::size_t std::hash<matgrad::Plan>::operator()(const matgrad::Plan& plan) const noexcept {
    if (!plan) {
        return 0;
    }
    const auto& impl = *plan.impl_;
    std::size_t hash = static_cast<std::size_t>(impl.f->fingerprint[0]);
    const auto mix = [&hash](std::size_t more) {
        hash ^= more + 0x9e3779b97f4a7c15 + (hash << 6U) + (hash >> 2U);
    };
    for (const matgrad::Operand& operand : impl.operands) {
        mix(std::hash<std::string>{}(operand.name));
        mix(static_cast<std::size_t>(operand.rows));
        mix(static_cast<std::size_t>(operand.cols));
        mix(static_cast<std::size_t>(operand.batched));
    }
    for (const matgrad::OutputInfo& output : impl.outputs) {
        mix(std::hash<std::string>{}(output.name));
    }
    return hash;
}
