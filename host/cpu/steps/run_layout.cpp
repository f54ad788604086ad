#include "cpu/steps/run_layout.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_choice.hpp"
#include "cpu/steps/lane_steps.hpp"
#include "cpu/steps/make_step.hpp"
#include "cpu/steps/run_steps.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// What a tile holds stays in the second-level cache, beside shared values; sums are worth longer tiles.
constexpr std::int64_t kTileBytes = 256 << 10;
constexpr std::int64_t kSummedTileBytes = 512 << 10;
/// Tiles are a multiple of this, and at least so long up to a size that most second-level caches hold.
constexpr std::int64_t kProblemUnit = 16;
constexpr std::int64_t kLargestTileBytes = 768 << 10;
/// Without sums a tile is no more work than this, so that threads find several.
constexpr double kTileNanoseconds = 25000;

/// The BatchReduce that alone reads what the step gives, if there is one.
const BatchReduce* only_sum(const Program& program, const Step& step,
                            const std::vector<int>& uses) {
    if (uses[static_cast<std::size_t>(step.out)] != 1) {
        return nullptr;
    }
    for (const Step& other : program.steps) {
        const auto* sum = std::get_if<BatchReduce>(&other.operation);
        if (sum != nullptr && sum->a.value == step.out && is_whole(sum->a)) {
            return sum;
        }
    }
    return nullptr;
}

class Builder {
public:
    Builder(const Program& program, bool wanted)
        : program_(program), wanted_(wanted), uses_(count_uses(program)) {
        for (const Step& step : program.steps) {
            if (step.scope == Scope::problem && program.value(step.out).count() > 0) {
                steps_.push_back(&step);
            }
        }
    }

    RunLayout operator()() {
        find_summed(kProblemUnit);
        choose_forms();
        place_values();
        layout_.tile = tile_for((layout_.summed.empty() ? kTileBytes : kSummedTileBytes) /
                                std::max<std::int64_t>(1, layout_.problem_bytes));
        if (layout_.tile == 0) {
            return {};
        }
        make_steps();
        const auto worth =
            static_cast<std::int64_t>(kTileNanoseconds / std::max(layout_.nanoseconds, 1.0));
        if (layout_.summed.empty() && worth < layout_.tile) {
            layout_.tile = std::max(kProblemUnit, tile_for(worth));
            make_steps();
        }
        return std::move(layout_);
    }

private:
    [[nodiscard]] std::int64_t tile_for(std::int64_t problems) const {
        const std::int64_t whole = std::min(kMostProblems, problems) / kProblemUnit * kProblemUnit;
        const bool fits = layout_.problem_bytes * kProblemUnit <= kLargestTileBytes;
        return whole == 0 && (fits || wanted_) ? kProblemUnit : whole;
    }

    void find_summed(std::int64_t tile) {
        for (const Step* step : steps_) {
            if (only_sum(program_, *step, uses_) != nullptr &&
                make_sum_step(program_, *step, tile) != nullptr) {
                const bool scalar = std::holds_alternative<Reduce>(step->operation);
                layout_.summed.push_back(
                    {step->out, scalar ? ScalarType::float64 : program_.value(step->out).type});
            }
        }
    }
    [[nodiscard]] bool is_summed(ValueId id) const {
        return std::any_of(layout_.summed.begin(), layout_.summed.end(),
                           [id](const SummedValue& v) { return v.value == id; });
    }

    /// Numbers of a problem that sums over the batch add up, which no step has summed over the tile.
    [[nodiscard]] double unsummed_numbers() const {
        double numbers = summed_numbers(program_);
        for (const SummedValue& summed : layout_.summed) {
            numbers -= static_cast<double>(program_.value(summed.value).count());
        }
        return numbers;
    }

    /// Has the planner placed it, where it may lie over what was read before? What comes from lanes may not: then
    /// some problems are still to be read.
    [[nodiscard]] bool is_placed(std::size_t i) const {
        return program_.values[i].offset >= 0 && taken_from_lanes_[i] == 0;
    }

    /// Has the tile one for each problem? Not of what is summed, or never leaves the lanes.
    [[nodiscard]] bool is_kept(std::size_t i) const {
        return !is_summed(static_cast<ValueId>(i)) && stays_in_lanes_[i] == 0;
    }

    /// As the planner placed them, but without what is not kept.
    void place_values() {
        struct Stretch {
            std::int64_t begin, end, moved;
        };
        std::vector<Stretch> stretches;
        const auto bytes_of = [](const Value& v) { return v.count() * size_of(v.type); };
        layout_.offsets.assign(program_.values.size(), -1);
        for (std::size_t i = 0; i < program_.values.size(); ++i) {
            const Value& value = program_.values[i];
            if (value.scope == Scope::problem && is_placed(i) && is_kept(i)) {
                stretches.push_back({value.offset, value.offset + bytes_of(value), 0});
            }
        }
        std::sort(stretches.begin(), stretches.end(),
                  [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
        std::vector<Stretch> merged;
        for (const Stretch& s : stretches) {
            if (!merged.empty() && s.begin <= merged.back().end) {
                merged.back().end = std::max(merged.back().end, s.end);
            } else {
                merged.push_back(s);
            }
        }
        for (Stretch& s : merged) {
            s.moved = layout_.problem_bytes - s.begin;
            layout_.problem_bytes += (s.end - s.begin + 7) / 8 * 8;
        }
        for (std::size_t i = 0; i < program_.values.size(); ++i) {
            const Value& value = program_.values[i];
            if (value.scope != Scope::problem || !is_kept(i)) {
                continue;
            }
            if (!is_placed(i)) {
                layout_.offsets[i] = layout_.problem_bytes;
                layout_.problem_bytes += (bytes_of(value) + 7) / 8 * 8;
                continue;
            }
            const auto in = std::find_if(merged.begin(), merged.end(), [&](const Stretch& s) {
                return s.begin <= value.offset && value.offset + bytes_of(value) <= s.end;
            });
            layout_.offsets[i] = value.offset + in->moved;
        }
    }

    /// Is it read by nobody, but given to the caller once?
    [[nodiscard]] bool is_only_result(ValueId id) const {
        const auto results =
            std::count_if(program_.outputs.begin(), program_.outputs.end(),
                          [id](const ProgramOutput& output) { return output.value == id; });
        return results == 1 && uses_[static_cast<std::size_t>(id)] == 1;
    }

    [[nodiscard]] RunStep step_by_rows(const Step& step, std::int64_t tile) const {
        return is_summed(step.out) ? RunStep{make_sum_step(program_, step, tile), true}
                                   : make_run_step(program_, step, tile);
    }

    void choose_forms() {
        constexpr double kNever = std::numeric_limits<double>::infinity();
        std::vector<double> rows;
        std::vector<double> lanes;
        for (const Step* step : steps_) {
            const RunStep by_rows = step_by_rows(*step, kProblemUnit);
            rows.push_back(by_rows.step == nullptr ? kNever : by_rows.step->nanoseconds());
            const CpuStepPtr in_lanes =
                is_summed(step->out) ? nullptr : make_compact_step(program_, *step);
            lanes.push_back(in_lanes == nullptr ? kNever : in_lanes->nanoseconds());
        }
        in_lanes_ = choose_lane_steps(program_, steps_, rows, lanes);
        taken_from_lanes_.assign(program_.values.size(), 0);
        stays_in_lanes_.assign(program_.values.size(), 0);
        for_each_group([this](const std::vector<const Step*>& steps, bool in_lanes) {
            for (const Step* step : steps) {
                for (const ValueId id : {step->out, step->out2}) {
                    if (in_lanes && id != kNoValue) {
                        stays_in_lanes_[static_cast<std::size_t>(id)] = 1;
                    }
                }
            }
            for (const ValueId id : values_read_later(program_, steps)) {
                taken_from_lanes_[static_cast<std::size_t>(id)] = in_lanes ? 1 : 0;
                stays_in_lanes_[static_cast<std::size_t>(id)] = 0;
            }
        });
    }

    [[nodiscard]] bool in_lanes(std::size_t i) const { return in_lanes_[i] != 0; }

    /// Those in lanes that follow each other, and each other step by itself.
    template <typename Function>
    void for_each_group(Function function) const {
        for (std::size_t i = 0; i < steps_.size();) {
            std::size_t end = i + 1;
            while (in_lanes(i) && end < steps_.size() && in_lanes(end)) {
                ++end;
            }
            function(std::vector<const Step*>(steps_.begin() + static_cast<std::ptrdiff_t>(i),
                                              steps_.begin() + static_cast<std::ptrdiff_t>(end)),
                     in_lanes(i));
            i = end;
        }
    }

    void make_steps() {
        layout_.steps.clear();
        layout_.at_once.clear();
        layout_.leaving.clear();
        layout_.nanoseconds =
            moved_floats(program_, false) * kPlainMove + unsummed_numbers() * kRunSummed;
        for_each_group([this](const std::vector<const Step*>& steps, bool in_lanes) {
            add(in_lanes ? RunStep{make_lane_steps(program_, steps), true, Leaves::anyhow}
                         : step_by_rows(*steps.front(), layout_.tile),
                steps);
        });
    }

    void add(RunStep made, const std::vector<const Step*>& steps) {
        if (made.step == nullptr) {
            layout_.nanoseconds = std::numeric_limits<double>::infinity();
            return;
        }
        layout_.nanoseconds += made.step->nanoseconds();
        for (const Step* step : steps) {
            if (made.leaves != Leaves::no && is_only_result(step->out)) {
                layout_.leaving.push_back({step->out, made.leaves});
            }
        }
        if (made.at_once) {
            layout_.at_once.push_back(made.step->name());
        }
        layout_.steps.push_back(std::move(made.step));
    }

    const Program& program_;
    bool wanted_;
    std::vector<int> uses_;
    std::vector<const Step*> steps_;    ///< that run for each problem and give something
    std::vector<char> in_lanes_;        ///< by step
    std::vector<char> stays_in_lanes_;  ///< by value
    std::vector<char>
        taken_from_lanes_;  ///< by value: is it brought back, a few problems at a time?
    RunLayout layout_;
};

}  // namespace

RunLayout make_run_layout(const Program& program, bool wanted) {
    return Builder(program, wanted)();
}

}  // namespace matgrad::detail
