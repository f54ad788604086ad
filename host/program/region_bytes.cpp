#include "program/region_bytes.hpp"

#include <algorithm>

#include "program/aliasing.hpp"

namespace matgrad::detail {
namespace {

/// A buffer and when it lives; both ends belong to it.
struct Life {
    int key = kNone;  ///< what lives: a value, or its rows or columns
    int first = 0;
    int last = 0;
};

/// The lives of buffers over places in time, in the order of their first use.
class Lives {
public:
    explicit Lives(std::size_t keys) : current_(keys, kNone) {}

    void touch(int key, int time) {
        int& life = at(current_, key);
        if (life == kNone) {
            life = static_cast<int>(lives_.size());
            lives_.push_back({key, time, time});
        }
        at(lives_, life).last = time;
    }
    [[nodiscard]] bool lives(int key) const { return at(current_, key) != kNone; }
    /// The next touch begins a new life: the value is loaded again.
    void end(int key) { at(current_, key) = kNone; }

    /// The step has just touched its inputs and its result.
    template <typename KeyOf>
    void may_overwrite(const Program& program, const Step& step, const KeyOf& key_of) {
        std::vector<int> inputs;
        for (const ValueId v : overwritable_inputs(program, step, OperandsAre::copies)) {
            if (lives(key_of(v))) {
                inputs.push_back(at(current_, key_of(v)));
            }
        }
        results_.emplace_back(at(current_, key_of(step.out)), std::move(inputs));
    }
    /// At the end: a result that takes the buffer of an input whose life ends there is counted from the next place on.
    void hand_over() {
        for (const auto& [result, inputs] : results_) {
            Life& made = at(lives_, result);
            const int time = made.first;
            if (std::any_of(inputs.begin(), inputs.end(),
                            [&](int input) { return at(lives_, input).last == time; })) {
                ++made.first;
            }
        }
    }

    /// Bytes that live at each time, by the bytes of a value.
    template <typename Bytes>
    [[nodiscard]] std::vector<std::int64_t> bytes(int times, const Bytes& bytes_of) const {
        std::vector<std::int64_t> change(static_cast<std::size_t>(times) + 2, 0);
        for (const Life& life : lives_) {
            if (life.first <= life.last) {
                at(change, life.first) += bytes_of(life.key);
                at(change, life.last + 1) -= bytes_of(life.key);
            }
        }
        std::vector<std::int64_t> bytes(static_cast<std::size_t>(times), 0);
        std::int64_t sum = 0;
        for (int t = 0; t < times; ++t) {
            sum += at(change, t);
            at(bytes, t) = sum;
        }
        return bytes;
    }

private:
    std::vector<Life> lives_;
    std::vector<int> current_;                               ///< the life of each value, or -1
    std::vector<std::pair<int, std::vector<int>>> results_;  ///< lives: of a result, of inputs
};

class Meter {
public:
    Meter(const Program& program, const Dimensions& dimensions, Regions& regions)
        : program_(program),
          dimensions_(dimensions),
          regions_(regions),
          whole_(program.values.size()) {}

    void run(std::int64_t limit) {
        std::vector<int> first;  // time of each pass
        std::vector<int> in_panels;
        for (Pass& pass : regions_.passes) {
            first.push_back(time_);
            in_panels.push_back(time_ + static_cast<int>(pass.before.size()));
            walk(pass);
        }
        first.push_back(time_);
        whole_.hand_over();
        const std::vector<std::int64_t> bytes =
            whole_.bytes(time_, [&](ValueId v) { return bytes_of(v); });
        regions_.bytes = 0;
        regions_.fits = true;
        for (std::size_t p = 0; p < regions_.passes.size(); ++p) {
            Pass& pass = regions_.passes[p];
            pass.bytes = 0;
            for (int t = first[p]; t < first[p + 1]; ++t) {
                pass.bytes = std::max(pass.bytes, at(bytes, t));
            }
            if (pass.dimension.size > 0) {
                pass.whole_bytes = at(bytes, in_panels[p]);
                choose_panel(pass, limit);
                pass.bytes = std::max(pass.bytes, pass.whole_bytes + pass.panel * pass.row_bytes);
            }
            regions_.bytes = std::max(regions_.bytes, pass.bytes);
        }
        regions_.fits = regions_.bytes <= limit;
    }

private:
    [[nodiscard]] std::int64_t bytes_of(ValueId v) const {
        return program_.value(v).count() * size_of(program_.value(v).type);
    }

    /// Goes through one pass, place by place: a step on whole values, all panels together, ...
    void walk(Pass& pass) {
        find_panels(pass);
        for (const int s : pass.before) {
            walk_whole(s);
        }
        if (pass.dimension.size > 0) {
            walk_panels(pass);
            ++time_;
        }
        for (const int s : pass.after) {
            const bool is_made = std::any_of(pass.contractions.begin(), pass.contractions.end(),
                                             [s](const Contraction& c) { return c.step == s; });
            if (is_made) {
                const StepIndices& step = at(dimensions_.steps, s);
                if (step.c) {
                    touch_whole(at(step.reads, static_cast<int>(*step.c)).value);
                }
                touch_whole(at(program_.steps, s).out);
                ++time_;
            } else {
                for (const RootAgain& root : pass.roots) {
                    if (root.step == s) {
                        keep_inputs_of(root);
                    }
                }
                walk_whole(s);
            }
        }
        for (const Transfer& read : pass.reads) {
            if (!at(is_kept_, read.value)) {
                whole_.end(read.value);
            }
        }
    }

    [[nodiscard]] static int key(ValueId v, Cut cut) { return 2 * v + (cut == Cut::cols); }

    void find_panels(const Pass& pass) {
        is_panel_.assign(2 * program_.values.size(), false);
        is_kept_.assign(program_.values.size(), false);
        for (const ValueId v : regions_.kept) {
            at(is_kept_, v) = true;
        }
        for (const Transfer& read : pass.reads) {
            if (read.cut != Cut::whole) {
                at(is_panel_, key(read.value, read.cut)) = true;
            }
        }
        for (const PanelStep& step : pass.steps) {
            const ValueId out = at(program_.steps, step.step).out;
            if (!step.contracts && !at(is_kept_, out)) {
                at(is_panel_, key(out, step.out)) = true;
            }
        }
    }

    void touch_whole(ValueId v) { whole_.touch(v, time_); }

    void walk_whole(int s) {
        const Step& step = at(program_.steps, s);
        const StepIndices& indices = at(dimensions_.steps, s);
        for (const Use& use : indices.reads) {
            touch_whole(use.value);
        }
        // A root that is on chip stays until then; another one is read from memory where it is needed.
        if (indices.root && whole_.lives(indices.root->value)) {
            touch_whole(indices.root->value);
        }
        touch_whole(step.out);
        if (step.out2 != kNoValue) {
            touch_whole(step.out2);
        }
        whole_.may_overwrite(program_, step, [](ValueId v) { return v; });
        ++time_;
    }

    void keep_inputs_of(const RootAgain& root) {
        for (const int s : root.steps) {
            for (const Use& use : at(dimensions_.steps, s).reads) {
                if (whole_.lives(use.value)) {
                    touch_whole(use.value);
                }
            }
        }
    }

    void walk_panels(Pass& pass) {
        Lives panels(2 * program_.values.size());
        for (int k = 0; k < static_cast<int>(pass.steps.size()); ++k) {
            const PanelStep& run = at(pass.steps, k);
            const Step& step = at(program_.steps, run.step);
            const StepIndices& indices = at(dimensions_.steps, run.step);
            for (std::size_t u = 0; u < indices.reads.size(); ++u) {
                const ValueId v = indices.reads[u].value;
                const Cut cut = run.uses[u];
                if (cut != Cut::whole && at(is_panel_, key(v, cut))) {
                    panels.touch(key(v, cut), k);
                } else if (!run.contracts || indices.c != u) {
                    touch_whole(v);
                }
            }
            if (!run.contracts && at(is_panel_, key(step.out, run.out))) {
                panels.touch(key(step.out, run.out), k);
                panels.may_overwrite(program_, step, [&](ValueId v) { return key(v, run.out); });
            } else {
                touch_whole(step.out);
            }
        }
        panels.hand_over();
        pass.row_bytes = 0;
        for (const std::int64_t bytes :
             panels.bytes(static_cast<int>(pass.steps.size()),
                          [&](int key) { return bytes_of(key / 2) / pass.dimension.size; })) {
            pass.row_bytes = std::max(pass.row_bytes, bytes);
        }
    }

    /// As many rows as there is room for, in panels of about equal size.
    static void choose_panel(Pass& pass, std::int64_t limit) {
        const std::int64_t size = pass.dimension.size;
        const std::int64_t room =
            pass.row_bytes == 0 ? size : (limit - pass.whole_bytes) / pass.row_bytes;
        if (room >= size) {
            pass.panel = size;
            return;
        }
        const std::int64_t most =
            std::max(room / kPanelStep * kPanelStep, std::min(kPanelStep, size));
        const std::int64_t panels = (size + most - 1) / most;
        const std::int64_t even = (size + panels - 1) / panels;
        pass.panel = std::min(most, (even + kPanelStep - 1) / kPanelStep * kPanelStep);
    }

    const Program& program_;
    const Dimensions& dimensions_;
    Regions& regions_;
    Lives whole_;
    std::vector<bool> is_panel_;  ///< by key: panels of its own in this pass
    std::vector<bool> is_kept_;
    int time_ = 0;
};

}  // namespace

void measure(const Program& program, const Dimensions& dimensions, std::int64_t limit,
             Regions& regions) {
    Meter(program, dimensions, regions).run(limit);
}

}  // namespace matgrad::detail
