#include "cpu/steps/lane_steps.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "cpu/compact/kernels.hpp"
#include "cpu/pivot_status.hpp"
#include "cpu/steps/estimate.hpp"
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
        std::byte* arena = run.scratch->take(places_.bytes);
        View* views = run.scratch->array<View>(static_cast<std::int64_t>(places_.views.size()));
        for (std::size_t i = 0; i < places_.views.size(); ++i) {
            new (views + i) View(places_.offsets[i] < 0 ? run.values[i] : places_.views[i]);
            if (places_.offsets[i] >= 0) {
                views[i].data = arena + places_.offsets[i];
            }
        }
        Scratch scratch(run.scratch->take(step_bytes_), step_bytes_, "steps in lanes");
        for (std::int64_t first = 0; first < run.problems; first += kLanes) {
            const std::int64_t count = std::min<std::int64_t>(kLanes, run.problems - first);
            const Problems problems{*this, run, first, count, arena};
            for (const ValueId id : places_.given) {
                problems.bring(id, views[id]);
            }
            std::int32_t status[kLanes] = {};
            const StepRun each{views, &scratch, status, count, {}, nullptr, nullptr, &problems};
            for (const CpuStepPtr& step : steps_) {
                step->run(each);
            }
            for (std::int64_t l = 0; l < count; ++l) {
                run.status[first + l] = merged_status(run.status[first + l], status[l]);
            }
            for (const ValueId id : places_.taken) {
                problems.take(id, views[id]);
            }
        }
    }

private:
    /// Where the values of a group of problems lie, and which come and go.
    struct Places {
        std::vector<View> views;            ///< by value, without data
        std::vector<std::int64_t> offsets;  ///< by value: bytes into the arena, or -1
        std::vector<ValueId> given;         ///< read, but not made here
        std::vector<ValueId> taken;         ///< made here, and read later
        std::int64_t bytes = 0;

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
                    place(potrf->root.value);
                }
            }
            taken = values_read_later(program, steps);
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
                const View& view = views[index(id)];
                offsets[index(id)] = bytes;
                bytes += align_up(view.count() * view.element_bytes());
            }
        }
    };

    /// Some problems of a run, on their way into lanes and back.
    class Problems : public LateValues {
    public:
        Problems(const LaneSteps& steps, const StepRun& run, std::int64_t first, std::int64_t count,
                 std::byte* arena)
            : steps_(steps), run_(run), first_(first), count_(count), arena_(arena) {}

        void bring(ValueId id, const View& to) const {
            const View& from = run_.values[id];
            const std::byte* sources[kLanes];
            for (int l = 0; l < kLanes; ++l) {
                // Lanes past the end repeat the last problem.
                sources[l] = of_problem(from, std::min<std::int64_t>(l, count_ - 1));
            }
            lane_pack(sources, from.row_stride, from.col_stride, to);
        }
        void take(ValueId id, const View& from) const {
            const View& to = run_.values[id];
            std::byte* targets[kLanes];
            for (std::int64_t l = 0; l < count_; ++l) {
                targets[l] = of_problem(to, l);
            }
            lane_unpack(from, static_cast<int>(count_), targets, to.row_stride, to.col_stride,
                        false);
        }
        [[nodiscard]] View brought(ValueId id) const override {
            const auto i = static_cast<std::size_t>(id);
            View view = steps_.places_.views[i];
            view.data = arena_ + steps_.places_.offsets[i];
            bring(id, view);
            return view;
        }

    private:
        [[nodiscard]] std::byte* of_problem(const View& v, std::int64_t index) const {
            return v.data + (first_ + index) * v.count() * size_of(v.type);
        }

        const LaneSteps& steps_;
        const StepRun& run_;
        std::int64_t first_, count_;
        std::byte* arena_;
    };

    LaneSteps(const Program& program, std::vector<CpuStepPtr> made, Places places)
        : CpuStep(name_of(made), bytes_of(made, places), nanoseconds_of(program, made, places)),
          places_(std::move(places)),
          steps_(std::move(made)),
          step_bytes_(most_scratch(steps_)) {}

    static std::string name_of(const std::vector<CpuStepPtr>& made) {
        std::string name = "in lanes: ";
        for (const CpuStepPtr& step : made) {
            name += (step == made.front() ? "" : "; ") + step->name();
        }
        return name;
    }
    static std::int64_t most_scratch(const std::vector<CpuStepPtr>& made) {
        std::int64_t bytes = 0;
        for (const CpuStepPtr& step : made) {
            bytes = std::max(bytes, step->scratch_bytes());
        }
        return align_up(bytes);
    }
    static std::int64_t bytes_of(const std::vector<CpuStepPtr>& made, const Places& places) {
        return align_up(places.bytes) + most_scratch(made) +
               align_up(static_cast<std::int64_t>(places.views.size() * sizeof(View)));
    }
    static double nanoseconds_of(const Program& program, const std::vector<CpuStepPtr>& made,
                                 const Places& places) {
        double sum = 0;
        for (const CpuStepPtr& step : made) {
            sum += step->nanoseconds();
        }
        for (const auto* moved : {&places.given, &places.taken}) {
            for (const ValueId id : *moved) {
                sum += lane_move_nanoseconds(program, id);
            }
        }
        return sum;
    }

    Places places_;
    std::vector<CpuStepPtr> steps_;
    std::int64_t step_bytes_;
};

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
        made.push_back(make_compact_step(program, *step));
        if (made.back() == nullptr) {
            return nullptr;
        }
    }
    return std::make_unique<LaneSteps>(program, steps, std::move(made));
}

}  // namespace matgrad::detail
