#include "cuda/placement.hpp"

#include <algorithm>

#include "matgrad/error.hpp"

namespace matgrad::gpu {
namespace {

/// Offsets of values are multiples of 8 bytes: a slice of a multiple of 32 problems keeps them
/// multiples of 256 when they are multiplied by it.
constexpr std::int64_t kSliceStep = 32;
constexpr std::int64_t kMostProblems = std::int64_t{1} << 20;

std::int64_t sum(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result)) {
        throw ShapeError("the workspace of one problem does not fit 63 bits");
    }
    return result;
}

std::int64_t product(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result)) {
        throw ShapeError("the workspace of one problem does not fit 63 bits");
    }
    return result;
}

std::int64_t bytes_of(const Value& value) {
    return product(value.count(), size_of(value.type));
}

/// Offsets of values in the area of their scope; those that the planner has not placed come last.
struct Offsets {
    std::vector<std::int64_t> by_value;
    std::int64_t shared_bytes = 0;
    std::int64_t problem_bytes = 0;
};

Offsets find_offsets(const Program& program, const PlacementNeeds& needs) {
    Offsets offsets;
    offsets.shared_bytes = aligned(program.shared_bytes);
    // The planner's places are for all values. Of few that are left each has its own.
    const bool is_planned = needs.on_chip.empty();
    offsets.problem_bytes = is_planned ? (program.problem_bytes + 7) / 8 * 8 : 0;
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& value = program.values[i];
        std::int64_t at = is_planned || value.scope != Scope::problem ? value.offset : -1;
        const bool is_gathered = needs.gathers && value.scope == Scope::problem;
        const bool is_on_chip = !is_planned && needs.on_chip[i] != 0;
        if (is_on_chip || (value.operand >= 0 && !is_gathered)) {
            at = -1;
        } else if (at < 0) {
            const bool per_problem = value.scope == Scope::problem;
            std::int64_t& end = per_problem ? offsets.problem_bytes : offsets.shared_bytes;
            at = end;
            const std::int64_t bytes = bytes_of(value);
            end = sum(end, per_problem ? (bytes + 7) / 8 * 8 : aligned(bytes));
        }
        offsets.by_value.push_back(at);
    }
    return offsets;
}

std::int64_t scratch_bytes(const PlacementNeeds& needs, std::int64_t slice) {
    std::int64_t bytes = 0;
    for (const PlacementNeeds::Scratch& step : needs.scratch) {
        bytes = std::max(bytes, sum(step.fixed, product(step.per_problem, step.once ? 1 : slice)));
    }
    return aligned(bytes);
}

std::int64_t choose_slice(const Program& program, const PlacementNeeds& needs,
                          std::int64_t problem_bytes) {
    std::int64_t per_problem = 0;
    for (const PlacementNeeds::Scratch& step : needs.scratch) {
        if (!step.once) {
            per_problem = std::max(per_problem, step.per_problem);
        }
    }
    const std::int64_t besides = needs.pointer_arrays * 8 + 8;  // info, status
    per_problem = sum(sum(per_problem, problem_bytes), besides);
    const std::int64_t fits =
        std::clamp<std::int64_t>(needs.slice_bytes / per_problem, 1, kMostProblems);
    if (fits < kSliceStep) {
        return fits;
    }
    const std::int64_t batch = std::clamp<std::int64_t>(program.batch, 1, kMostProblems);
    const std::int64_t wanted = (batch + kSliceStep - 1) / kSliceStep * kSliceStep;
    return std::min(wanted, fits / kSliceStep * kSliceStep);
}

Placement place_slice(const Program& program, const PlacementNeeds& needs, const Offsets& offsets,
                      std::int64_t slice) {
    Placement p;
    p.slice = slice;
    std::int64_t end = 0;
    const auto region = [&end](std::int64_t bytes) {
        const std::int64_t at = end;
        end = aligned(sum(end, bytes));
        return at;
    };
    const std::int64_t shared = region(offsets.shared_bytes);
    p.totals = region(needs.totals_bytes);
    p.shared_status = region(sizeof(std::int32_t));
    p.failed = region(sizeof(std::int64_t));
    p.wide_pivots.assign(program.values.size(), -1);
    for (const ValueId id : needs.wide_pivots) {
        const Value& value = program.value(id);
        const std::int64_t problems = value.scope == Scope::problem ? p.slice : 1;
        p.wide_pivots[static_cast<std::size_t>(id)] = region(product(value.count() * 8, problems));
    }
    p.blas = region(needs.blas_bytes);
    p.pointer_arrays = needs.pointer_arrays;
    p.pointers = region(product(needs.pointer_arrays, p.slice * 8));
    p.info = region(needs.pointer_arrays > 0 ? p.slice * 4 : 0);
    p.status = region(p.slice * 4);
    p.scratch_bytes = scratch_bytes(needs, p.slice);
    p.scratch = region(p.scratch_bytes);
    const std::int64_t problems = region(product(offsets.problem_bytes, p.slice));
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const std::int64_t at = offsets.by_value[i];
        const bool per_problem = program.values[i].scope == Scope::problem;
        p.values.push_back(at < 0 ? -1 : per_problem ? problems + at * p.slice : shared + at);
    }
    p.bytes = end;
    return p;
}

/// Few problems as they are, more in whole steps.
std::int64_t round_down(std::int64_t slice) {
    return slice < kSliceStep ? slice : slice / kSliceStep * kSliceStep;
}

}  // namespace

Placement place(const Program& program, const PlacementNeeds& needs) {
    const Offsets offsets = find_offsets(program, needs);
    std::int64_t most = choose_slice(program, needs, offsets.problem_bytes);
    Placement p = place_slice(program, needs, offsets, most);
    if (needs.limit <= 0 || p.bytes <= needs.limit) {
        return p;
    }
    std::int64_t fits = 1;
    while (most - fits > 1) {
        const std::int64_t middle = fits + (most - fits) / 2;
        p = place_slice(program, needs, offsets, round_down(middle));
        (p.bytes <= needs.limit ? fits : most) = middle;
    }
    return place_slice(program, needs, offsets, round_down(fits));
}

}  // namespace matgrad::gpu
