#include <algorithm>
#include <cstdint>

#include "program/aliasing.hpp"
#include "program/uses.hpp"
#include "program/verify_parts.hpp"

namespace matgrad {
namespace {

/// From the step that writes a value to the last that reads it.
struct Life {
    int begin = 0;
    int end = 0;
};

class Places {
public:
    Places(const Program& program, Faults& faults)
        : program_(program),
          faults_(faults),
          lives_(program.values.size()),
          producers_(find_producers(program)) {}

    void check() {
        find_lives();
        for (std::size_t i = 0; i < program_.values.size(); ++i) {
            check_bounds(static_cast<ValueId>(i));
        }
        for (std::size_t i = 0; i < program_.values.size(); ++i) {
            for (std::size_t j = i + 1; j < program_.values.size(); ++j) {
                check_pair(static_cast<ValueId>(i), static_cast<ValueId>(j));
            }
        }
    }

private:
    [[nodiscard]] bool has_place(ValueId id) const {
        return program_.value(id).operand < 0 && producers_[static_cast<std::size_t>(id)] >= 0;
    }
    [[nodiscard]] std::int64_t bytes(ValueId id) const {
        const Value& value = program_.value(id);
        return value.count() * size_of(value.type);
    }

    void find_lives() {
        const auto last = static_cast<int>(program_.steps.size());
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            const Step& step = program_.steps[i];
            const auto at = static_cast<int>(i);
            for (const ValueId id : {step.out, step.out2}) {
                if (id != kNoValue) {
                    lives_[static_cast<std::size_t>(id)] = {at, at};
                }
            }
            for_each_use(step.operation, [&](const Use& use) {
                Life& life = lives_[static_cast<std::size_t>(use.value)];
                life.end = at;
                if (program_.value(use.value).scope != step.scope) {
                    life.end = last;  // read again by the next problem, or after all of them
                }
            });
            if (step.scope == Scope::reduced) {
                // Sums grow while the problems run.
                lives_[static_cast<std::size_t>(step.out)].begin = 0;
            }
        }
        for (const ProgramOutput& output : program_.outputs) {
            lives_[static_cast<std::size_t>(output.value)].end = last;
        }
    }

    void check_bounds(ValueId id) {
        if (!has_place(id)) {
            return;
        }
        const Value& value = program_.value(id);
        const bool per_problem = value.scope == Scope::problem;
        const std::int64_t room = per_problem ? program_.problem_bytes : program_.shared_bytes;
        if (value.offset < 0 || value.offset % 8 != 0 || value.offset + bytes(id) > room) {
            faults_.add("value {} of {} bytes lies at {} of a workspace of {} bytes", id, bytes(id),
                        value.offset, room);
        }
    }

    /// Two values that live at once lie apart, unless one is made in the memory of the other.
    void check_pair(ValueId x, ValueId y) {
        const Value& a = program_.value(x);
        const Value& b = program_.value(y);
        const bool same_room = (a.scope == Scope::problem) == (b.scope == Scope::problem);
        if (!has_place(x) || !has_place(y) || !same_room || bytes(x) == 0 || bytes(y) == 0) {
            return;
        }
        if (a.offset + bytes(x) <= b.offset || b.offset + bytes(y) <= a.offset) {
            return;
        }
        const Life& first = lives_[static_cast<std::size_t>(x)];
        const Life& second = lives_[static_cast<std::size_t>(y)];
        if (first.end < second.begin || second.end < first.begin) {
            return;
        }
        if (!is_overwritten(x, y) && !is_overwritten(y, x)) {
            faults_.add("values {} and {} share memory while both are needed", x, y);
        }
    }

    [[nodiscard]] bool is_overwritten(ValueId input, ValueId result) const {
        const Step& step =
            program_.steps[static_cast<std::size_t>(producers_[static_cast<std::size_t>(result)])];
        const std::vector<ValueId> allowed = overwritable_inputs(program_, step);
        const bool dies = lives_[static_cast<std::size_t>(input)].end ==
                          lives_[static_cast<std::size_t>(result)].begin;
        return dies && step.out == result &&
               program_.value(input).offset == program_.value(result).offset &&
               std::find(allowed.begin(), allowed.end(), input) != allowed.end();
    }

    const Program& program_;
    Faults& faults_;
    std::vector<Life> lives_;
    std::vector<int> producers_;
};

}  // namespace

void check_places(const Program& program, Faults& faults) {
    Places(program, faults).check();
}

}  // namespace matgrad
