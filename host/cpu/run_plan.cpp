#include "cpu/run_plan.hpp"

#include <algorithm>
#include <utility>

#include "cpu/plain/step_pairs.hpp"
#include "cpu/scratch.hpp"
#include "cpu/step_parts.hpp"

namespace matgrad::detail {
namespace {

/// Partial sums of the batch: enough for any number of cores, and bounded memory.
constexpr std::int64_t kMostSegments = 64;
constexpr std::int64_t kFewestSegments = 8;
constexpr std::int64_t kSegmentMemory = 32 << 20;

std::vector<char> values_read_by_steps(const RunPlan& plan) {
    std::vector<char> read(plan.program.values.size(), 0);
    for (const Step* step : plan.tile_steps) {
        for (const Use& use : uses_of(*step)) {
            read[static_cast<std::size_t>(use.value)] = 1;
        }
    }
    for (const BatchSum& sum : plan.sums) {
        read[static_cast<std::size_t>(sum.use.value)] = 1;
    }
    return read;
}

void sort_steps(RunPlan& plan) {
    for (const Step& step : plan.program.steps) {
        if (const auto* reduce = std::get_if<BatchReduce>(&step.operation)) {
            const std::int64_t count = plan.value(step.out).count();
            plan.sums.push_back({reduce->a, step.out, plan.sum_count, count});
            plan.sum_count += count;
        } else if (step.scope == Scope::shared) {
            plan.shared_steps.push_back(&step);
        } else if (step.scope == Scope::problem) {
            plan.tile_steps.push_back(&step);
        } else {
            plan.final_steps.push_back(&step);
        }
    }
    if (!plan.sums.empty()) {
        const std::int64_t bytes =
            std::max<std::int64_t>(1, plan.sum_count) * static_cast<std::int64_t>(sizeof(double));
        plan.segments = std::clamp(kSegmentMemory / bytes, kFewestSegments, kMostSegments);
    }
}

void place_values(RunPlan& plan) {
    const std::vector<char> read = values_read_by_steps(plan);
    plan.shared_bytes = align_up(plan.program.shared_bytes);
    plan.tile_bytes = align_up(plan.program.problem_bytes * plan.lanes);
    for (std::size_t i = 0; i < plan.program.values.size(); ++i) {
        const Value& value = plan.program.values[i];
        const bool in_tile = value.scope == Scope::problem;
        const std::int64_t lanes = in_tile ? plan.lanes : 1;
        std::int64_t slot = value.offset < 0 ? -1 : value.offset * lanes;
        // Operands are read where they are; a compact tile gathers those that its steps read.
        const bool gathered = in_tile && plan.layout == Layout::compact && read[i] != 0;
        if (slot < 0 && (value.operand < 0 || gathered)) {
            std::int64_t& end = in_tile ? plan.tile_bytes : plan.shared_bytes;
            slot = end;
            end += align_up(value.count() * size_of(value.type) * lanes);
        }
        plan.slots.push_back(slot);
    }
}

void measure_scratch(RunPlan& plan) {
    for (const Step& step : plan.program.steps) {
        const bool in_tile = step.scope == Scope::problem;
        plan.scratch_bytes = std::max(
            plan.scratch_bytes, step_scratch_bytes(plan.program, step, in_tile ? plan.lanes : 1));
    }
    for (std::size_t i = 0; i < plan.partners.size(); ++i) {
        if (plan.partners[i] >= 0) {
            const Step& partner = *plan.tile_steps[static_cast<std::size_t>(plan.partners[i])];
            plan.scratch_bytes = std::max(plan.scratch_bytes,
                                          step_scratch_bytes(plan.program, *plan.tile_steps[i], 1) +
                                              step_scratch_bytes(plan.program, partner, 1));
        }
    }
    for (const ProgramOutput& output : plan.program.outputs) {
        plan.scratch_bytes = std::max(
            plan.scratch_bytes,
            align_up(plan.value(output.value).count() * plan.lanes * size_of(ScalarType::float64)));
    }
}

}  // namespace

std::int64_t RunPlan::workspace_bytes(int threads) const {
    return shared_bytes +
           align_up(segments * sum_count * static_cast<std::int64_t>(sizeof(double))) +
           threads * (tile_bytes + scratch_bytes);
}

RunPlan::RunPlan(Program given) : program(std::move(given)) {
    const LayoutChoice choice = choose_layout(program);
    layout = choice.layout;
    problem_nanoseconds = choice.nanoseconds;
    lanes = layout == Layout::compact ? kLanes : 1;
    sort_steps(*this);
    if (layout == Layout::plain) {
        partners = find_step_pairs(program, tile_steps);
    }
    calls_blas = layout == Layout::plain || !shared_steps.empty() || !final_steps.empty();
    place_values(*this);
    measure_scratch(*this);
}

}  // namespace matgrad::detail
