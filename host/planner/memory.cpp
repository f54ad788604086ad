#include <algorithm>
#include <map>

#include "planner/edit.hpp"
#include "planner/passes.hpp"
#include "planner/sizes.hpp"
#include "program/aliasing.hpp"
#include "program/round_up.hpp"

namespace matgrad {
namespace {

constexpr std::int64_t kSharedAlignment = 64;
constexpr std::int64_t kProblemAlignment = 8;

/// Free stretches of one workspace, by offset.
class Arena {
public:
    explicit Arena(std::int64_t alignment) : alignment_(alignment) {}

    /// The tightest hole that fits, else the end.
    std::int64_t allocate(std::int64_t bytes) {
        const std::int64_t need = round_up(bytes, alignment_);
        if (need == 0) {
            return 0;
        }
        auto best = holes_.end();
        for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
            if (hole->second >= need && (best == holes_.end() || hole->second < best->second)) {
                best = hole;
            }
        }
        if (best == holes_.end()) {
            const std::int64_t at = size_;
            if (__builtin_add_overflow(size_, need, &size_)) {
                throw ShapeError("the workspace does not fit 64 bits");
            }
            return at;
        }
        const auto [at, length] = *best;
        holes_.erase(best);
        if (length > need) {
            holes_[at + need] = length - need;
        }
        return at;
    }

    void release(std::int64_t at, std::int64_t bytes) {
        std::int64_t length = round_up(bytes, alignment_);
        if (length == 0) {
            return;
        }
        const auto next = holes_.find(at + length);
        if (next != holes_.end()) {
            length += next->second;
            holes_.erase(next);
        }
        const auto after = holes_.lower_bound(at);
        if (after != holes_.begin()) {
            const auto before = std::prev(after);
            if (before->first + before->second == at) {
                before->second += length;
                return;
            }
        }
        holes_[at] = length;
    }

    [[nodiscard]] std::int64_t size() const { return size_; }

private:
    std::int64_t alignment_;
    std::int64_t size_ = 0;
    std::map<std::int64_t, std::int64_t> holes_;
};

class Assigner {
public:
    explicit Assigner(Program& program)
        : program_(program),
          last_use_(program.values.size(), -1),
          pinned_(program.values.size(), false) {}

    void run() {
        find_lifetimes();
        // Sums over the batch are kept while all problems run, so they come first.
        for (const Step& s : program_.steps) {
            if (s.scope == Scope::reduced) {
                place(s.out);
            }
        }
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            step(static_cast<int>(i));
        }
        program_.shared_bytes = round_up(shared_.size(), kSharedAlignment);
        program_.problem_bytes = problem_.size();
    }

private:
    Value& value(ValueId id) { return program_.value(id); }
    Arena& arena(const Value& v) { return v.scope == Scope::problem ? problem_ : shared_; }
    static std::int64_t bytes_of(const Value& v) { return v.count() * size_of(v.type); }

    void place(ValueId id) {
        Value& v = value(id);
        checked_bytes(v.text, v.rows.size, v.cols.size);
        v.offset = arena(v).allocate(bytes_of(v));
    }

    void find_lifetimes() {
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            const Step& s = program_.steps[i];
            for_each_use(s.operation, [&](const Use& u) {
                const auto id = static_cast<std::size_t>(u.value);
                last_use_[id] = static_cast<int>(i);
                // A shared value read by the problems lives through all of them.
                pinned_[id] = pinned_[id] || program_.values[id].scope != s.scope;
            });
        }
        for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
            const auto id = static_cast<std::size_t>(program_.outputs[i].value);
            pinned_[id] = true;
            Value& v = program_.values[id];
            if (v.operand < 0 && v.output < 0) {
                v.output = static_cast<int>(i);
            }
        }
    }

    [[nodiscard]] bool dies_at(ValueId id, int index) const {
        const auto i = static_cast<std::size_t>(id);
        return program_.values[i].operand < 0 && !pinned_[i] && last_use_[i] == index;
    }

    void step(int index) {
        const Step& s = program_.steps[static_cast<std::size_t>(index)];
        ValueId taken = kNoValue;
        if (s.scope != Scope::reduced) {
            for (const ValueId id : overwritable_inputs(program_, s)) {
                if (taken == kNoValue && dies_at(id, index)) {
                    taken = id;
                }
            }
            if (taken != kNoValue) {
                value(s.out).offset = value(taken).offset;
            } else {
                place(s.out);
            }
            if (s.out2 != kNoValue) {
                place(s.out2);
            }
        }
        release_inputs(s, index, taken);
    }

    void release_inputs(const Step& s, int index, ValueId taken) {
        std::vector<ValueId> released{taken};
        const auto release = [&](ValueId id) {
            if (std::find(released.begin(), released.end(), id) == released.end()) {
                released.push_back(id);
                arena(value(id)).release(value(id).offset, bytes_of(value(id)));
            }
        };
        for_each_use(s.operation, [&](const Use& u) {
            if (dies_at(u.value, index)) {
                release(u.value);
            }
        });
        for (const ValueId id : {s.out, s.out2}) {  // written but never read: a second result
            if (id != kNoValue && last_use_[static_cast<std::size_t>(id)] < 0 &&
                !pinned_[static_cast<std::size_t>(id)]) {
                release(id);
            }
        }
    }

    Program& program_;
    std::vector<int> last_use_;
    std::vector<bool> pinned_;
    Arena shared_{kSharedAlignment};
    Arena problem_{kProblemAlignment};
};

}  // namespace

void assign_memory(Program& program) {
    Assigner(program).run();
}

}  // namespace matgrad
