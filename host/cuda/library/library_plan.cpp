#include "cuda/library/library_plan.hpp"

#include <algorithm>
#include <limits>

#include "cuda/library/large_problem.hpp"
#include "cuda/library/step_status.hpp"
#include "cuda/library/value_views.hpp"

namespace matgrad::gpu {
namespace {

using PlannedSteps = std::vector<LibraryPlan::PlannedStep>;

struct Steps {
    PlannedSteps shared, problem, final;
    BatchSums sums;
    PlacementNeeds needs;
};

Steps make_steps(StepSetup& setup) {
    Steps steps;
    for (const Step& step : setup.program().steps) {
        setup.begin_step(step);
        if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
            steps.sums.add(setup, *sum);
        } else {
            PlannedSteps& list = step.scope == Scope::shared    ? steps.shared
                                 : step.scope == Scope::problem ? steps.problem
                                                                : steps.final;
            list.push_back({&step, make_step(setup)});
        }
        steps.needs.scratch.push_back(
            {setup.scratch().per_problem, setup.scratch().fixed, step.scope != Scope::problem});
        if (std::holds_alternative<Getrf>(step.operation) &&
            is_taken_alone(setup.value(step.out).rows.size, 1)) {
            steps.needs.wide_pivots.push_back(step.out2);
        }
    }
    steps.needs.blas_bytes = static_cast<std::int64_t>(Context::kBlasWorkspaceBytes);
    steps.needs.totals_bytes = steps.sums.bytes();
    steps.needs.pointers = setup.uses_pointers();
    return steps;
}

/// Somewhere: routes look at strides alone.
std::byte* any_address() {
    alignas(kPlacementAlignment) static std::byte somewhere;
    return &somewhere;
}

ValueViews contiguous_views(const LibraryPlan& plan) {
    const Program& program = plan.program;
    const auto value = [&program](ValueId id) -> const Value& {
        return program.values[static_cast<std::size_t>(id)];
    };
    std::vector<ConstBatch> operands;
    for (const ProgramOperand& o : program.operands) {
        operands.push_back(ConstBatch::contiguous(any_address(), value(o.value).rows.size,
                                                  value(o.value).cols.size));
    }
    std::vector<Batch> results;
    for (const ProgramOutput& o : program.outputs) {
        const Value& v = value(o.value);
        const std::int64_t rows = o.transposed ? v.cols.size : v.rows.size;
        const std::int64_t cols = o.transposed ? v.rows.size : v.cols.size;
        results.push_back(Batch::contiguous(any_address(), rows, cols));
    }
    DeviceCall call;
    call.operands = operands;
    call.results = results;
    call.workspace = any_address();
    return {program, plan.placement, plan.results, call};
}

}  // namespace

std::unique_ptr<const LibraryPlan> make_library_plan(const Program& program,
                                                     const ExecutorOptions& options,
                                                     const Context& context) {
    const CurrentDevice current(context.info().index);
    KernelSource source;
    StepSetup setup(program, source, options.tf32);
    Steps steps = make_steps(setup);
    Results results(setup, options.outputs);
    steps.needs.limit = static_cast<std::int64_t>(
        std::min<std::size_t>(options.workspace_limit, std::numeric_limits<std::int64_t>::max()));
    const bool fails = can_fail(program);
    const KernelId count = fails && results.has_means() ? source.add_count_failed() : kNoKernel;
    auto plan =
        std::make_unique<LibraryPlan>(program, std::move(results), Kernels(context, source));
    plan->shared_steps = std::move(steps.shared);
    plan->problem_steps = std::move(steps.problem);
    plan->final_steps = std::move(steps.final);
    plan->sums = std::move(steps.sums);
    plan->placement = place(program, steps.needs);
    plan->host_bytes = setup.host_bytes();
    plan->can_fail = fails;
    plan->count_failed = count;
    return plan;
}

std::vector<std::string> routes(const LibraryPlan& plan) {
    const ValueViews views = contiguous_views(plan);
    const std::int64_t batch = std::min(plan.program.batch, plan.placement.slice);
    std::vector<std::string> lines;
    const auto add = [&](const PlannedSteps& steps, std::int64_t problems) {
        for (const LibraryPlan::PlannedStep& step : steps) {
            const Value& out = plan.program.values[static_cast<std::size_t>(step.step->out)];
            lines.push_back(to_text(plan.program, *step.step) + ": " +
                            (out.count() == 0 ? std::string("nothing to do")
                                              : step.run->route(views.get(), problems)));
        }
    };
    add(plan.shared_steps, 1);
    add(plan.problem_steps, std::max<std::int64_t>(1, batch));
    for (const Step& step : plan.program.steps) {
        if (std::holds_alternative<BatchReduce>(step.operation)) {
            lines.push_back(to_text(plan.program, step) + ": batch sum kernel");
        }
    }
    add(plan.final_steps, 1);
    return lines;
}

}  // namespace matgrad::gpu
