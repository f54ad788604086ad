#include "api/linear_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/binding.hpp"
#include "api/memory_checks.hpp"
#include "executor/workspace.hpp"

namespace matgrad::detail {
namespace {

std::size_t aligned(std::size_t bytes) {
    return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}

std::size_t place_of(std::span<const std::string> names, const std::string& name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::size_t bytes_of(const LinearPlan& plan, const LinearPlan::Kept& kept, std::int64_t batch) {
    std::int64_t bytes = kept.rows * kept.cols * size_of(plan.type);
    constexpr std::int64_t kMost = std::int64_t{1} << 60;
    if (__builtin_mul_overflow(bytes, kept.batched ? batch : 1, &bytes) || bytes > kMost) {
        throw MachineError(fmt::format("no memory for what is kept of {} problems", batch));
    }
    return aligned(static_cast<std::size_t>(bytes));
}

/// How many problems the point has, which is 1 where all its operands are shared.
std::int64_t batch_of(const BoundCall& bound) {
    return bound.batch;
}

}  // namespace

std::shared_ptr<const LinearPlan> make_linear_plan(
    const Program& whole, std::span<const Operand> operands, std::span<const OutputInfo> outputs,
    std::span<const std::string> directions,
    const std::function<std::unique_ptr<const Executor>(Program)>& make_executor) {
    if (std::any_of(outputs.begin(), outputs.end(),
                    [](const OutputInfo& o) { return o.kind == OutputKind::error; })) {
        throw UnsupportedError(
            "a plan with error bounds cannot be linearized: expected one without `error`");
    }
    if (directions.empty()) {
        throw OperandError("the plan has nothing to linearize: expected one with hvp or joint_hvp");
    }
    auto plan = std::make_shared<LinearPlan>();
    plan->type = whole.type;
    std::vector<std::string> late;
    for (const Operand& operand : operands) {
        const bool is_direction =
            std::find(directions.begin(), directions.end(), operand.name) != directions.end();
        (is_direction ? plan->directions : plan->point_operands).push_back(operand);
        (is_direction ? plan->direction_names : plan->point_names).push_back(operand.name);
        plan->operands.push_back(operand);
        plan->operand_names.push_back(operand.name);
    }
    for (const OutputInfo& output : outputs) {
        const bool is_product = output.kind == OutputKind::hvp;
        (is_product ? plan->products : plan->point_outputs).push_back(output);
        (is_product ? plan->product_names : plan->point_output_names).push_back(output.text());
    }
    SplitProgram parts = split_program(whole, plan->direction_names);
    for (const ProgramOperand& operand : parts.early.operands) {
        plan->early_operands.push_back(place_of(plan->point_names, operand.name));
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < parts.late.operands.size(); ++i) {
        const ProgramOperand& operand = parts.late.operands[i];
        if (i + parts.kept >= parts.late.operands.size()) {
            const Value& value = parts.late.value(operand.value);
            plan->kept.push_back({value.rows.size, value.cols.size, operand.batched});
            plan->late_operands.push_back({LinearPlan::Source::kept, kept++});
            continue;
        }
        const std::size_t at = place_of(plan->operand_names, operand.name);
        plan->late_operands.push_back({LinearPlan::Source::operand, at});
        if (std::find(directions.begin(), directions.end(), operand.name) == directions.end()) {
            plan->read_again.push_back(operand.name);
        }
    }
    plan->early = make_executor(std::move(parts.early));
    plan->late = make_executor(std::move(parts.late));
    return plan;
}

std::shared_ptr<const LinearPoint> linearize_at(std::shared_ptr<const LinearPlan> plan,
                                                std::span<const OperandView> operands,
                                                std::span<const ResultView> results,
                                                std::span<std::int32_t> status) {
    CallMemory memory;
    const RunContract contract{plan->point_operands, plan->point_outputs, plan->point_names,
                               plan->point_output_names, plan->type};
    const BoundCall bound =
        bind_call(contract, operands, results, std::nullopt, status.size(), memory);
    check_memory(contract, bound, {.status = status}, memory);

    auto point = std::make_shared<LinearPoint>();
    std::size_t bytes = 0;
    for (const LinearPlan::Kept& kept : plan->kept) {
        bytes += bytes_of(*plan, kept, batch_of(bound));
    }
    point->memory = KeptMemory(bytes);
    std::byte* next = point->memory.data();
    std::vector<Strided> targets(bound.results.begin(), bound.results.end());
    for (const LinearPlan::Kept& kept : plan->kept) {
        targets.push_back(Strided::contiguous(next, kept.rows, kept.cols));
        point->kept.push_back(ConstStrided::contiguous(next, kept.rows, kept.cols));
        next += bytes_of(*plan, kept, batch_of(bound));
    }
    std::vector<ConstStrided> sources;
    for (const std::size_t i : plan->early_operands) {
        sources.push_back(bound.operands[i]);
    }
    std::vector<double> beta(bound.beta.begin(), bound.beta.end());
    if (!beta.empty()) {
        beta.resize(targets.size());
    }
    // Under the names of the plan, which live as long as it does.
    for (std::size_t i = 0; i < plan->point_operands.size(); ++i) {
        const Operand& operand = plan->point_operands[i];
        const ConstStrided& at = bound.operands[i];
        const ConstView view(at.data, plan->type, operand.rows, operand.cols, at.row_stride,
                             at.col_stride);
        point->operands.emplace_back(
            plan->point_names[i],
            operand.batched ? view.batched(batch_of(bound), at.batch_stride) : view);
    }
    point->status.resize(static_cast<std::size_t>(batch_of(bound)));
    HostCall call;
    call.batch = batch_of(bound);
    call.operands = sources;
    call.results = targets;
    call.status = point->status;
    call.beta = beta;
    point->summary = plan->early->run(call, {});
    std::copy_n(point->status.begin(), status.size(), status.begin());
    point->plan = std::move(plan);
    return point;
}

}  // namespace matgrad::detail
