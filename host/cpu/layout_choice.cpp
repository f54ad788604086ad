#include "cpu/layout_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/plain/step_pairs.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/make_step.hpp"

namespace matgrad::detail {
namespace {

/// Beyond this the compact layout is out of the question.
constexpr std::int64_t kLargestTile = 8 << 20;

/// For fewer problems a run is not worth its tile.
constexpr std::int64_t kFewestProblems = kLanes;

/// The steps of problem scope in one layout.
struct TileSteps {
    std::vector<CpuStepPtr> steps;
    double nanoseconds =
        0;  ///< predicted, of one problem on one thread; infinite if it lacks a step
};

/// Steps that run for each tile and give something.
std::vector<const Step*> steps_of_problems(const Program& program) {
    std::vector<const Step*> steps;
    for (const Step& step : program.steps) {
        if (step.scope == Scope::problem && program.value(step.out).count() > 0) {
            steps.push_back(&step);
        }
    }
    return steps;
}

void add(TileSteps& to, CpuStepPtr step) {
    if (step == nullptr) {
        to.nanoseconds = std::numeric_limits<double>::infinity();
        return;
    }
    to.nanoseconds += step->nanoseconds();
    to.steps.push_back(std::move(step));
}

TileSteps compact_steps(const Program& program) {
    TileSteps result;
    result.nanoseconds =
        moved_floats(program, true) * kCompactMove + summed_numbers(program) * kCompactSummed;
    for (const Step* step : steps_of_problems(program)) {
        add(result, make_compact_step(program, *step));
    }
    if (tile_bytes_per_problem(program) * kLanes > kLargestTile) {
        result.nanoseconds = std::numeric_limits<double>::infinity();
    }
    return result;
}

/// A step that runs with a later one takes it along.
TileSteps plain_steps(const Program& program) {
    TileSteps result;
    result.nanoseconds =
        moved_floats(program, false) * kPlainMove + summed_numbers(program) * kPlainSummed;
    const std::vector<const Step*> steps = steps_of_problems(program);
    const std::vector<int> partners = find_step_pairs(program, steps);
    std::vector<char> taken(steps.size(), 0);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (taken[i] != 0) {
            continue;
        }
        CpuStepPtr step = make_plain_step(program, *steps[i]);
        const auto other = static_cast<std::size_t>(partners[i]);
        if (partners[i] >= 0 && taken[other] == 0) {
            taken[other] = 1;
            step = make_pair_step(*steps[i], *steps[other], std::move(step),
                                  make_plain_step(program, *steps[other]));
        }
        add(result, std::move(step));
    }
    return result;
}

std::string describe_runs(const RunLayout& runs, double compact, double plain) {
    std::string text = fmt::format(
        "run layout, one call for up to {} problems where that can be: {} KiB; predicted {:.2f} us "
        "per problem on one core, {:.2f} us in the compact layout, {:.2f} us in the plain layout",
        runs.tile, (runs.tile * runs.problem_bytes + 1023) / 1024, runs.nanoseconds / 1000,
        compact / 1000, plain / 1000);
    for (const std::string& step : runs.at_once) {
        text += fmt::format("\n  {} problems in one call: {}", runs.tile, step);
    }
    return text;
}

std::string describe(const Program& program, Layout layout, double compact, double plain) {
    const std::int64_t bytes = tile_bytes_per_problem(program);
    if (steps_of_problems(program).empty()) {
        return "no step is per problem: each is done once";
    }
    if (layout == Layout::compact) {
        return fmt::format(
            "compact layout, one SIMD lane per problem: tiles of {} problems, {} KiB; predicted "
            "{:.2f} us per problem on one core, {:.2f} us in the plain layout",
            kLanes, (bytes * kLanes + 1023) / 1024, compact / 1000, plain / 1000);
    }
    return fmt::format(
        "plain layout, one problem at a time: {} KiB; predicted {:.2f} us per problem on one core, "
        "{:.2f} us in the compact layout",
        (bytes + 1023) / 1024, plain / 1000, compact / 1000);
}

}  // namespace

LayoutChoice choose_layout(const Program& program, std::optional<Layout> wanted) {
    TileSteps compact = compact_steps(program);
    TileSteps plain = plain_steps(program);
    RunLayout runs = make_run_layout(program, wanted == Layout::runs);
    // Few problems leave lanes of their only tile empty.
    const std::int64_t batch = std::clamp<std::int64_t>(program.batch, 1, kLanes);
    const double filled = static_cast<double>(batch) / kLanes;
    const double in_lanes = compact.nanoseconds / filled;
    const bool gains = runs.tile > 0 && !runs.steps.empty() && batch >= kFewestProblems &&
                       runs.nanoseconds <= std::min(in_lanes, plain.nanoseconds);
    const bool faster = in_lanes <= plain.nanoseconds;
    LayoutChoice choice;
    choice.layout = wanted.value_or(gains    ? Layout::runs
                                    : faster ? Layout::compact
                                             : Layout::plain);
    if (choice.layout == Layout::runs) {
        choice.tile = runs.tile;
        choice.nanoseconds = runs.nanoseconds;
        choice.reason = describe_runs(runs, compact.nanoseconds, plain.nanoseconds);
        choice.steps = std::move(runs.steps);
        choice.runs = std::move(runs);
        return choice;
    }
    choice.reason = describe(program, choice.layout, compact.nanoseconds, plain.nanoseconds);
    choice.tile = choice.layout == Layout::compact ? kLanes : 1;
    TileSteps& chosen = choice.layout == Layout::compact ? compact : plain;
    choice.nanoseconds = chosen.nanoseconds;
    choice.steps = std::move(chosen.steps);
    return choice;
}

}  // namespace matgrad::detail
