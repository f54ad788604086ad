#include "cpu/steps/lane_steps.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "cpu/compact/kernels.hpp"
#include "cpu/pivot_status.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_groups.hpp"
#include "cpu/steps/make_step.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

class LaneSteps : public CpuStep {
public:
    LaneSteps(const Program& program, const std::vector<const Step*>& steps,
              std::vector<CpuStepPtr> made)
        : LaneSteps(program, std::move(made), Places(program, steps)) {}

    void compute(const StepRun& run) const override {
        std::byte* arena = run.scratch->take(places_.bytes * groups_);
        std::byte* late = run.scratch->take(places_.late_bytes);
        View* views = run.scratch->array<View>(groups_ * values());
        for (std::int64_t g = 0; g < groups_; ++g) {
            place_views(run, g, arena, views + g * values());
        }
        Scratch scratch(run.scratch->take(step_bytes_), step_bytes_, "steps in lanes");
        const std::int64_t most = groups_ * kLanes;
        for (std::int64_t first = 0; first < run.problems; first += most) {
            const std::int64_t count = std::min(most, run.problems - first);
            run_groups({*this, run, first, count, views, late}, scratch);
        }
    }

private:
    [[nodiscard]] std::int64_t values() const {
        return static_cast<std::int64_t>(places_.views.size());
    }

    void place_views(const StepRun& run, std::int64_t group, std::byte* arena, View* views) const {
        for (std::size_t i = 0; i < places_.views.size(); ++i) {
            if (places_.offsets[i] < 0) {
                new (views + i) View(run.values[i]);
                continue;
            }
            View view = places_.views[i];
            view.data =
                arena + places_.offsets[i] * groups_ + group * view.count() * view.element_bytes();
            new (views + i) View(view);
        }
    }

    /// Where the values of a group of problems lie, and which come and go. Of each value the groups lie one after the
    /// other.
    struct Places {
        std::vector<View> views;            ///< by value, without data
        std::vector<std::int64_t> offsets;  ///< by value: bytes into the arena, or -1
        std::vector<ValueId> given;         ///< read, but not made here
        std::vector<ValueId> taken;         ///< made here, and read later
        std::int64_t bytes = 0;             ///< of a group
        std::int64_t late_bytes = 0;        ///< of a root

        Places(const Program& program, const std::vector<const Step*>& steps) {
            for (const Value& value : program.values) {
                views.push_back(
                    row_major(nullptr, value.type, value.rows.size, value.cols.size, kLanes));
            }
            offsets.assign(program.values.size(), -1);
            std::vector<char> known(program.values.size(), 0);
            for (const Step* step : steps) {
                for_each_read(*step, [&](ValueId id) {
                    if (program.value(id).scope == Scope::problem && known[index(id)] == 0) {
                        given.push_back(id);
                        known[index(id)] = 1;
                        place(id);
                    }
                });
                factor_in_place(program, *step);
                for (const ValueId id : {step->out, step->out2}) {
                    if (id != kNoValue) {
                        known[index(id)] = 1;
                        place(id);
                    }
                }
                const auto* potrf = std::get_if<Potrf>(&step->operation);
                if (potrf != nullptr && is_present(potrf->root)) {
                    late_bytes = std::max(late_bytes, bytes_of(potrf->root.value));
                }
            }
            taken = values_read_later(program, steps);
        }

        /// Of a value of one group.
        [[nodiscard]] std::int64_t bytes_of(ValueId id) const {
            const View& view = views[index(id)];
            return align_up(view.count() * view.element_bytes());
        }

    private:
        static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
        /// Where nobody else reads the matrix of a factor.
        void factor_in_place(const Program& program, const Step& step) {
            const auto* potrf = std::get_if<Potrf>(&step.operation);
            if (potrf == nullptr || !is_whole(potrf->a)) {
                return;
            }
            const ValueId a = potrf->a.value;
            const std::vector<int> uses = count_uses(program);
            if (offsets[index(a)] >= 0 && uses[index(a)] == 1 &&
                program.value(a).type == program.value(step.out).type) {
                offsets[index(step.out)] = offsets[index(a)];
            }
        }
        /// Unless it has a place.
        void place(ValueId id) {
            if (offsets[index(id)] < 0) {
                offsets[index(id)] = bytes;
                bytes += bytes_of(id);
            }
        }
    };

    /// Some groups of problems, on their way through the steps.
    struct Groups {
        const LaneSteps& steps;
        const StepRun& run;
        std::int64_t first, count;
        View* views;  ///< of the first group, by value; then those of the next
        std::byte* late;

        [[nodiscard]] std::int64_t groups() const { return (count + kLanes - 1) / kLanes; }
        [[nodiscard]] View* views_of(std::int64_t group) const {
            return views + group * steps.values();
        }
        [[nodiscard]] std::int64_t problems_of(std::int64_t group) const {
            return std::min<std::int64_t>(kLanes, count - group * kLanes);
        }
        /// The first of the group in ordinary matrices; the others follow.
        [[nodiscard]] std::byte* there(const View& v, std::int64_t group) const {
            return v.data + (first + group * kLanes) * v.count() * size_of(v.type);
        }

        void bring(ValueId id, std::int64_t group, const View& to) const {
            const View& from = run.values[id];
            const std::byte* sources[kLanes];
            const std::byte* source = there(from, group);
            const std::int64_t bytes = from.count() * size_of(from.type);
            const std::int64_t last = problems_of(group) - 1;
            for (std::int64_t l = 0; l < kLanes; ++l) {
                sources[l] = source;
                source += l < last ? bytes : 0;  // lanes past the end repeat the last problem
            }
            lane_pack(sources, from.row_stride, from.col_stride, to);
        }
        void take(ValueId id, std::int64_t group, Scratch& scratch) const {
            View from = views_of(group)[id];
            const View& to = run.values[id];
            if (from.type != to.type) {
                scratch.begin_step("a result in lanes", steps.step_bytes_);
                const View converted = scratch.matrix(to.type, from.rows, from.cols, kLanes);
                lane_convert(from, converted);
                from = converted;
            }
            std::byte* targets[kLanes];
            std::byte* target = there(to, group);
            const std::int64_t bytes = to.count() * size_of(to.type);
            const auto problems = static_cast<int>(problems_of(group));
            for (int l = 0; l < problems; ++l) {
                targets[l] = target;
                target += bytes;
            }
            lane_unpack(from, problems, targets, to.row_stride, to.col_stride, run.is_streamed(id));
        }
    };

    /// The roots of a group's factors.
    class LateRoots : public LateValues {
    public:
        LateRoots(const Groups& groups, std::int64_t group) : groups_(groups), group_(group) {}

        [[nodiscard]] View brought(ValueId id) const override {
            const Places& places = groups_.steps.places_;
            if (places.offsets[static_cast<std::size_t>(id)] >= 0) {
                return groups_.views_of(group_)[id];
            }
            View view = places.views[static_cast<std::size_t>(id)];
            view.data = groups_.late;
            groups_.bring(id, group_, view);
            return view;
        }

    private:
        const Groups& groups_;
        std::int64_t group_;
    };

    void run_groups(const Groups& all, Scratch& scratch) const {
        std::int32_t status[kMostGroups * kLanes] = {};
        for (const ValueId id : places_.given) {
            for (std::int64_t g = 0; g < all.groups(); ++g) {
                all.bring(id, g, all.views_of(g)[id]);
            }
        }
        for (const CpuStepPtr& step : steps_) {
            if (step->takes_groups()) {
                StepRun run{all.views, &scratch, status, all.count};
                run.groups = all.groups();
                step->run(run);
                continue;
            }
            for (std::int64_t g = 0; g < all.groups(); ++g) {
                const LateRoots roots(all, g);
                StepRun run{all.views_of(g), &scratch, status + g * kLanes, all.problems_of(g)};
                run.late = &roots;
                step->run(run);
            }
        }
        for (std::int64_t p = 0; p < all.count; ++p) {
            std::int32_t& known = all.run.status[all.first + p];
            known = merged_status(known, status[p]);
        }
        for (const ValueId id : places_.taken) {
            for (std::int64_t g = 0; g < all.groups(); ++g) {
                all.take(id, g, scratch);
            }
        }
    }

    LaneSteps(const Program& program, std::vector<CpuStepPtr> made, Places places)
        : CpuStep(name_of(made), bytes_of(made, places), nanoseconds_of(program, made, places)),
          places_(std::move(places)),
          steps_(std::move(made)),
          step_bytes_(most_scratch(steps_, places_)),
          groups_(groups_of(places_)) {}

    /// Values of some groups stay in the first-level cache.
    static std::int64_t groups_of(const Places& places) {
        constexpr std::int64_t kArena = 24 << 10;
        return std::clamp<std::int64_t>(kArena / std::max<std::int64_t>(1, places.bytes), 1,
                                        kMostGroups);
    }
    static std::string name_of(const std::vector<CpuStepPtr>& made) {
        std::string name = "in lanes: ";
        for (const CpuStepPtr& step : made) {
            name += (&step == made.data() ? "" : "; ") + step->name();
        }
        return name;
    }
    /// Of a step, or of a result that is converted.
    static std::int64_t most_scratch(const std::vector<CpuStepPtr>& made, const Places& places) {
        std::int64_t bytes = 0;
        for (const CpuStepPtr& step : made) {
            bytes = std::max(bytes, step->scratch_bytes());
        }
        for (const ValueId id : places.taken) {
            bytes = std::max(bytes, places.bytes_of(id));
        }
        return align_up(bytes);
    }
    static std::int64_t bytes_of(const std::vector<CpuStepPtr>& made, const Places& places) {
        const std::int64_t groups = groups_of(places);
        const auto of_views =
            groups * static_cast<std::int64_t>(places.views.size() * sizeof(View));
        return groups * places.bytes + places.late_bytes + most_scratch(made, places) +
               align_up(of_views);
    }
    static double nanoseconds_of(const Program& program, const std::vector<CpuStepPtr>& made,
                                 const Places& places) {
        double sum = 0;
        const auto groups = static_cast<double>(groups_of(places));
        for (const CpuStepPtr& step : made) {
            const double shared = step->takes_groups() ? kCompactCall * (1 - 1 / groups) : 0;
            sum += step->nanoseconds() - shared;
        }
        for (const auto* moved : {&places.given, &places.taken}) {
            for (const ValueId id : *moved) {
                sum += lane_move_nanoseconds(program, id);
            }
        }
        return sum;
    }

    static constexpr std::int64_t kMostGroups = 8;

    Places places_;
    std::vector<CpuStepPtr> steps_;
    std::int64_t step_bytes_;
    std::int64_t groups_;
};

CpuStepPtr make_lane_step(const Program& program, const Step& step) {
    CpuStepPtr made;
    if (const auto* map = std::get_if<Map>(&step.operation)) {
        made = make_lane_group_map(program, step, *map);
    } else if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        made = make_lane_group_reduce(program, step, *reduce);
    }
    return made != nullptr ? std::move(made) : make_compact_step(program, step);
}

}  // namespace

std::vector<ValueId> values_read_later(const Program& program,
                                       const std::vector<const Step*>& steps) {
    std::vector<char> read(program.values.size(), 0);
    for (const ProgramOutput& output : program.outputs) {
        read[static_cast<std::size_t>(output.value)] = 1;
    }
    for (const Step& step : program.steps) {
        if (std::find(steps.begin(), steps.end(), &step) == steps.end()) {
            for_each_use(step.operation, [&read](const Use& use) {
                read[static_cast<std::size_t>(use.value)] = 1;
            });
        }
    }
    std::vector<ValueId> later;
    for (const Step* step : steps) {
        for (const ValueId id : {step->out, step->out2}) {
            if (id != kNoValue && read[static_cast<std::size_t>(id)] != 0) {
                later.push_back(id);
            }
        }
    }
    return later;
}

CpuStepPtr make_lane_steps(const Program& program, const std::vector<const Step*>& steps) {
    std::vector<CpuStepPtr> made;
    for (const Step* step : steps) {
        made.push_back(make_lane_step(program, *step));
        if (made.back() == nullptr) {
            return nullptr;
        }
    }
    return std::make_unique<LaneSteps>(program, steps, std::move(made));
}

}  // namespace matgrad::detail
