#include "cpu/run_plan.hpp"

#include <algorithm>
#include <utility>

#include "cpu/gram_inverse.hpp"
#include "cpu/scratch.hpp"
#include "cpu/steps/make_step.hpp"
#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// Partial sums of the batch: enough for any number of cores, and bounded memory.
constexpr std::int64_t kMostSegments = 64;
/// Of operands and results in a segment, at most: a long batch may come in parts of a few dozen of these.
constexpr std::int64_t kSegmentBytes = 2 << 20;
constexpr std::int64_t kFewestSegments = 8;
constexpr std::int64_t kSegmentMemory = 32 << 20;

std::vector<char> values_read_by_steps(const Program& program) {
    std::vector<char> read(program.values.size(), 0);
    for (const Step& step : program.steps) {
        if (step.scope == Scope::problem || std::holds_alternative<BatchReduce>(step.operation)) {
            for_each_use(step.operation, [&read](const Use& use) {
                read[static_cast<std::size_t>(use.value)] = 1;
            });
        }
    }
    return read;
}

/// A part of the batch is at least so many times the work of clearing its sums and adding them up.
constexpr double kSegmentWork = 5;
constexpr double kSumNanoseconds = 1;

/// Nanoseconds of work for a tile where a batch would be less than kSomeTiles.
constexpr double kTileWork = 20000;
constexpr std::int64_t kSomeTiles = 8;
/// Tiles are a multiple of this.
constexpr std::int64_t kProblemUnit = 16;

/// That of every problem by the shapes alone: a Gram matrix whose root has fewer rows than columns has no inverse,
/// whatever its entries and their roundings are.
std::int32_t shape_status(const Program& program) {
    for (const Step& step : program.steps) {
        const auto* potrf = std::get_if<Potrf>(&step.operation);
        if (potrf == nullptr || !is_present(potrf->root) || !potrf->fails || potrf->jitter) {
            continue;
        }
        const std::int64_t rows = rows_of(program, potrf->root).size;
        if (rows < cols_of(program, potrf->root).size) {
            return make_status(StatusKind::singular, rows + 1);
        }
    }
    return 0;
}

void sort_steps(RunPlan& plan) {
    plan.shape_status = shape_status(plan.program);
    for (const Step& step : plan.program.steps) {
        const std::int64_t count = plan.value(step.out).count();
        if (const auto* reduce = std::get_if<BatchReduce>(&step.operation)) {
            plan.sums.push_back({reduce->a, step.out, plan.sum_count, count});
            plan.sum_count += count;
        } else if (step.scope != Scope::problem && count > 0) {
            (step.scope == Scope::shared ? plan.shared_steps : plan.final_steps)
                .push_back(make_plain_step(plan.program, step));
        }
    }
    if (!plan.sums.empty()) {
        const std::int64_t bytes =
            std::max<std::int64_t>(1, plan.sum_count) * static_cast<std::int64_t>(sizeof(double));
        plan.segments = std::clamp(kSegmentMemory / bytes, kFewestSegments, kMostSegments);
        if (plan.is_runs()) {
            plan.segment_problems =
                1 + static_cast<std::int64_t>(kSegmentWork * kSumNanoseconds *
                                              static_cast<double>(plan.sum_count) /
                                              plan.choice.nanoseconds);
        }
    }
}

/// Room at the end of the tile or of the shared area.
std::int64_t appended(std::int64_t& end, std::int64_t bytes) {
    const std::int64_t slot = end;
    end += align_up(bytes);
    return slot;
}

/// A tile of one problem, or of kLanes. Operands are read where they are; a compact tile gathers those
/// that its steps read.
std::int64_t tile_slot(RunPlan& plan, const Value& value, bool read) {
    if (value.offset >= 0) {
        return value.offset * plan.lanes;
    }
    const bool gathered = plan.is_compact() && read;
    return value.operand < 0 || gathered
               ? appended(plan.tile_bytes, value.count() * size_of(value.type) * plan.lanes)
               : -1;
}

/// Sums over a tile have one matrix, behind the values of the problems.
void place_summed_values(RunPlan& plan) {
    for (const SummedValue& summed : plan.choice.runs.summed) {
        const auto i = static_cast<std::size_t>(summed.value);
        const Value& value = plan.value(summed.value);
        plan.slots[i] = appended(plan.tile_bytes, value.count() * size_of(summed.type));
        plan.views[i].type = summed.type;
        for (BatchSum& sum : plan.sums) {
            sum.of_tile = sum.of_tile || sum.use.value == summed.value;
        }
    }
}

void place_values(RunPlan& plan) {
    const std::vector<char> read = values_read_by_steps(plan.program);
    const RunLayout& runs = plan.choice.runs;
    plan.shared_bytes = align_up(plan.program.shared_bytes);
    plan.tile_bytes = align_up(plan.is_runs() ? runs.problem_bytes * plan.tile()
                                              : plan.program.problem_bytes * plan.lanes);
    for (std::size_t i = 0; i < plan.program.values.size(); ++i) {
        const Value& value = plan.program.values[i];
        const bool in_tile = value.scope == Scope::problem;
        std::int64_t slot = -1;
        if (!in_tile && value.offset >= 0) {
            slot = value.offset;
        } else if (!in_tile && value.operand < 0) {
            slot = appended(plan.shared_bytes, value.count() * size_of(value.type));
        } else if (in_tile && plan.is_runs()) {
            slot = runs.offsets[i] < 0 ? -1 : runs.offsets[i] * plan.tile();
        } else if (in_tile) {
            slot = tile_slot(plan, value, read[i] != 0);
        }
        if (!in_tile) {
            plan.single_values.push_back(static_cast<ValueId>(i));
        }
        plan.slots.push_back(slot);
        plan.views.push_back(row_major(nullptr, value.type, value.rows.size, value.cols.size,
                                       in_tile ? plan.lanes : 1));
        const bool brought = plan.is_compact() ? slot >= 0 : !plan.is_runs() || read[i] != 0;
        if (in_tile && value.operand >= 0 && value.count() > 0 && brought) {
            plan.operands.push_back(static_cast<ValueId>(i));
        }
    }
    place_summed_values(plan);
    plan.leaves.assign(plan.views.size(), Leaves::no);
    for (const LeavingValue& leaving : runs.leaving) {
        const auto i = static_cast<std::size_t>(leaving.value);
        plan.leaves[i] = leaving.how;
        plan.views[i].type = plan.program.type;
    }
    for (std::size_t i = 0; i < plan.program.outputs.size(); ++i) {
        const ProgramOutput& output = plan.program.outputs[i];
        const bool per_problem = is_per_problem(plan.program, output);
        plan.writes_problems = plan.writes_problems || per_problem;
        if (!per_problem) {
            plan.single_results.push_back(i);
        } else if (plan.value(output.value).count() > 0) {
            plan.results.push_back(i);
        }
    }
}

void measure(RunPlan& plan) {
    plan.sums_bytes =
        align_up((1 + plan.segments) * plan.sum_count * static_cast<std::int64_t>(sizeof(double)));
    const auto size = [](std::size_t count, std::size_t each) {
        return align_up(static_cast<std::int64_t>(count * each));
    };
    plan.views_bytes =
        size(plan.views.size(), sizeof(View)) + size(plan.operands.size(), sizeof(Given)) +
        size(plan.results.size(), sizeof(GivenResult)) + 2 * size(plan.views.size(), sizeof(char));
    for (const auto* steps : {&plan.choice.steps, &plan.shared_steps, &plan.final_steps}) {
        for (const CpuStepPtr& step : *steps) {
            plan.scratch_bytes = std::max(plan.scratch_bytes, step->scratch_bytes());
            plan.calls_blas = plan.calls_blas || step->calls_blas();
        }
    }
    for (const ProgramOutput& output : plan.program.outputs) {
        plan.scratch_bytes = std::max(
            plan.scratch_bytes,
            align_up(plan.value(output.value).count() * plan.lanes * size_of(ScalarType::float64)));
    }
}

}  // namespace

std::int64_t RunPlan::tile_of(std::int64_t batch) const {
    if (!is_runs()) {
        return tile();
    }
    // Tiles of equal length; several of them where there is work for several threads, but none that is
    // less work than adding its sums.
    const auto worth =
        static_cast<std::int64_t>(static_cast<double>(batch) * choice.nanoseconds / kTileWork);
    const std::int64_t some =
        std::clamp<std::int64_t>(std::min(worth, batch / segment_problems), 1, kSomeTiles);
    const std::int64_t tiles = std::max((batch + tile() - 1) / tile(), some);
    return std::min(tile(), (batch / tiles + kProblemUnit) / kProblemUnit * kProblemUnit);
}

std::int64_t RunPlan::segment_of(std::int64_t batch) const {
    const std::int64_t length = tile_of(batch);
    std::int64_t bytes = 1;
    for (const ProgramOperand& operand : program.operands) {
        const Value& v = value(operand.value);
        bytes += operand.batched ? v.count() * size_of(v.type) : 0;
    }
    for (const ProgramOutput& output : program.outputs) {
        const Value& v = value(output.value);
        bytes += is_per_problem(program, output) ? v.count() * size_of(v.type) : 0;
    }
    const std::int64_t tiles = (batch + length - 1) / length;
    const std::int64_t most = std::max<std::int64_t>(1, kSegmentBytes / (bytes * length));
    const std::int64_t fewest = (segment_problems + length - 1) / length;
    return std::max(std::min((tiles + segments - 1) / segments, most), fewest) * length;
}

int RunPlan::workers_of(std::int64_t batch, int threads) const {
    const std::int64_t length = tile_of(batch);
    const std::int64_t tiles = batch / length + (batch % length != 0 ? 1 : 0);
    return static_cast<int>(std::clamp<std::int64_t>(tiles, 1, threads));
}

RunPlan::RunPlan(Program given, std::optional<Layout> wanted)
    : program(with_gram_inverses(std::move(given))), choice(choose_layout(program, wanted)) {
    lanes = is_compact() ? kLanes : 1;
    sort_steps(*this);
    place_values(*this);
    measure(*this);
}

}  // namespace matgrad::detail
