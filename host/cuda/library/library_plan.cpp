#include "cuda/library/library_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>

#include "cholesky.hpp"
#include "condition.hpp"
#include "copy.hpp"
#include "cuda/library/enqueue.hpp"
#include "cuda/library/step_status.hpp"

namespace matgrad::gpu {
namespace {

using PlannedSteps = std::vector<LibraryPlan::PlannedStep>;

struct Steps {
    PlannedSteps shared, problem, final;
    std::unique_ptr<const FusedStep> fused;
    std::string why_not_fused;
    BatchSums sums;
    PlacementNeeds needs;
};

Steps make_steps(StepSetup& setup, GpuExecutor choice) {
    Steps steps;
    if (choice == GpuExecutor::library) {
        steps.why_not_fused = "the library was asked for";
    } else {
        steps.fused = FusedStep::make(setup, choice, steps.why_not_fused);
    }
    if (choice == GpuExecutor::fused && !steps.fused) {
        throw UnsupportedError("the steps do not fuse to one kernel: " + steps.why_not_fused);
    }
    std::int64_t arrays[3] = {};  // of each scope
    for (const Step& step : setup.program().steps) {
        setup.begin_step(step);
        if (steps.fused && steps.fused->does(step)) {
            continue;
        }
        if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
            steps.sums.add(setup, *sum);
        } else {
            PlannedSteps& list = step.scope == Scope::shared    ? steps.shared
                                 : step.scope == Scope::problem ? steps.problem
                                                                : steps.final;
            StepPointer run = make_step(setup);
            list.push_back({&step, std::move(run), setup.takes_addresses()});
        }
        arrays[static_cast<std::size_t>(step.scope)] += setup.pointer_arrays();
        steps.needs.scratch.push_back(
            {setup.scratch().per_problem, setup.scratch().fixed, step.scope != Scope::problem});
        if (std::holds_alternative<Getrf>(step.operation) &&
            setup.lu_alone().can_be(setup.value(step.out).rows.size)) {
            steps.needs.wide_pivots.push_back(step.out2);
        }
    }
    steps.needs.blas_bytes =
        setup.uses_blas() ? static_cast<std::int64_t>(Lease::kBlasWorkspaceBytes) : 0;
    steps.needs.totals_bytes = steps.sums.bytes();
    steps.needs.pointer_arrays = *std::max_element(std::begin(arrays), std::end(arrays));
    steps.needs.slice_bytes = setup.limit(Limit::slice_bytes);
    if (steps.fused) {
        steps.needs.on_chip = steps.fused->what().is_on_chip;
    }
    return steps;
}

bool factors_something(const Program& program, const PlannedSteps& steps) {
    return std::any_of(steps.begin(), steps.end(), [&program](const auto& step) {
        return is_factorization(step.step->operation) && program.value(step.step->out).count() > 0;
    });
}

/// A call of contiguous operands and results, in memory that nobody has.
class ContiguousCall {
public:
    explicit ContiguousCall(const LibraryPlan& plan) {
        const Program& program = plan.program;
        const auto value = [&program](ValueId id) -> const Value& { return program.value(id); };
        for (const ProgramOperand& o : program.operands) {
            operands_.push_back(ConstStrided::contiguous(next(), value(o.value).rows.size,
                                                         value(o.value).cols.size));
        }
        for (const ProgramOutput& o : program.outputs) {
            const Value& v = value(o.value);
            const std::int64_t rows = o.transposed ? v.cols.size : v.rows.size;
            const std::int64_t cols = o.transposed ? v.rows.size : v.cols.size;
            results_.push_back(Strided::contiguous(next(), rows, cols));
        }
        call_.batch = std::clamp<std::int64_t>(program.batch, 1, plan.placement.slice);
        call_.operands = operands_;
        call_.results = results_;
        call_.status = static_cast<std::int32_t*>(next());
        call_.workspace = next();
    }
    [[nodiscard]] const DeviceCall& get() const { return call_; }

private:
    /// Far from all others.
    void* next() { return std::bit_cast<void*>(++count_ << 48); }

    std::uintptr_t count_ = 0;
    std::vector<ConstStrided> operands_;
    std::vector<Strided> results_;
    DeviceCall call_;
};

/// Several equal operations one after the other are one.
std::string names_of(std::span<const OperationLog::Operation> operations) {
    std::string text;
    for (std::size_t i = 0; i < operations.size();) {
        std::size_t end = i + 1;
        while (end < operations.size() && operations[end].name == operations[i].name) {
            ++end;
        }
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", operations[i].name,
                            end - i > 1 ? fmt::format(" x {}", end - i) : "");
        i = end;
    }
    return text;
}

}  // namespace

std::unique_ptr<const LibraryPlan> make_library_plan(const Program& program,
                                                     const ExecutorOptions& options,
                                                     const Context& context) {
    const CurrentDevice current(context.info().index);
    const RelaxedCapture relaxed;  // what is loaded and made here is no part of a graph
    KernelSource source;
    const Thresholds thresholds = Thresholds::of(context.info().major);
    StepSetup setup(program, context, thresholds, source, options);
    Steps steps = make_steps(setup, options.executor);
    Results results(setup, steps.fused ? steps.fused->what().results : std::vector<std::size_t>{});
    if (setup.uses_blas()) {
        context.handles().blas.prepare();
    }
    if (setup.uses_solver()) {
        context.handles().solver.prepare();
    }
    load_copy_kernels();
    if (setup.uses_own_cholesky()) {
        load_cholesky_kernels();
    }
    if (setup.uses_condition()) {
        load_condition_kernels();
    }
    steps.needs.limit = static_cast<std::int64_t>(
        std::min<std::size_t>(options.workspace_limit, std::numeric_limits<std::int64_t>::max()));
    steps.needs.gathers = options.gathers;
    const bool fails = can_fail(program);
    const KernelId count = fails && results.has_means() ? source.add_count_failed() : kNoKernel;
    auto plan = std::make_unique<LibraryPlan>(program, setup.in_place(), std::move(results),
                                              Kernels(context, source));
    plan->shared_steps = std::move(steps.shared);
    plan->problem_steps = std::move(steps.problem);
    plan->final_steps = std::move(steps.final);
    plan->fused = std::move(steps.fused);
    plan->why_not_fused = std::move(steps.why_not_fused);
    plan->sums = std::move(steps.sums);
    plan->placement = place(program, steps.needs);
    plan->host_bytes = setup.host_bytes();
    plan->thresholds = thresholds;
    plan->gathers = options.gathers;
    plan->can_fail = fails;
    plan->can_lose_results = can_lose_results(program);
    plan->can_fail_once = factors_something(program, plan->shared_steps) ||
                          factors_something(program, plan->final_steps);
    // The fused kernel writes statuses in any case.
    plan->can_fail_per_problem =
        plan->fused != nullptr || factors_something(program, plan->problem_steps);
    plan->count_failed = count;
    return plan;
}

std::vector<std::string> explain_plan(const LibraryPlan& plan) {
    const ContiguousCall call(plan);
    StepRun run(plan.program, plan.kernels);
    const std::vector<OperationLog::Operation> all = record_plan(plan, call.get(), run).operations;
    std::vector<std::string> lines = {plan.fused ? "fused: " + plan.fused->explain()
                                                 : "not fused: " + plan.why_not_fused};
    lines.push_back(fmt::format("{} operation{} of the stream for {} problem{}", all.size(),
                                all.size() == 1 ? "" : "s", call.get().batch,
                                call.get().batch == 1 ? "" : "s"));
    for (std::size_t i = 0; i < all.size();) {
        std::size_t end = i + 1;
        while (end < all.size() && all[end].step == all[i].step) {
            ++end;
        }
        const std::string names = names_of(std::span(all).subspan(i, end - i));
        lines.push_back(
            all[i].step == nullptr ? names : to_text(plan.program, *all[i].step) + ": " + names);
        i = end;
    }
    return lines;
}

}  // namespace matgrad::gpu
