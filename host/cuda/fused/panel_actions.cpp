#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cuda/fused/panel_plan.hpp"
#include "program/gram_limits.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

template <typename T>
decltype(auto) at(T& items, std::int64_t index) {
    return items[static_cast<std::size_t>(index)];
}

bool contains(const std::vector<ValueId>& ids, ValueId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

class ListActions {
public:
    ListActions(const Program& program, const FusedDescription& what, Regions regions,
                bool stages_shared)
        : program_(program), what_(what), producers_(find_producers(program)) {
        plan_.regions = std::move(regions);
        find_staged(stages_shared);
    }

    PanelPlan operator()() {
        find_last_failure();
        for (pass_ = 0; pass_ < passes(); ++pass_) {
            add_pass(at(plan_.regions.passes, pass_));
        }
        extend_over_panels();
        return std::move(plan_);
    }

private:
    [[nodiscard]] int passes() const { return static_cast<int>(plan_.regions.passes.size()); }
    [[nodiscard]] const Step& step(int s) const { return at(program_.steps, s); }
    [[nodiscard]] bool is_kept(ValueId id) const { return contains(plan_.regions.kept, id); }
    [[nodiscard]] bool is_made(ValueId id) const {
        return at(producers_, id) >= 0 && is_in_regions(step(at(producers_, id)));
    }

    /// Read whole by all passes.
    void find_staged(bool stages_shared) {
        for (const ValueId id : what_.shared_inputs) {
            bool is_whole = stages_shared;
            for (const Pass& pass : plan_.regions.passes) {
                for (const Transfer& read : pass.reads) {
                    is_whole = is_whole && (read.value != id || read.cut == Cut::whole);
                }
            }
            if (is_whole) {
                staged_.push_back(id);
            }
        }
    }

    void find_last_failure() {
        for (int p = 0; p < passes(); ++p) {
            const Pass& pass = at(plan_.regions.passes, p);
            for (const std::vector<int>* steps : {&pass.before, &pass.after}) {
                for (const int s : *steps) {
                    const auto* potrf = std::get_if<Potrf>(&step(s).operation);
                    const auto* getrf = std::get_if<Getrf>(&step(s).operation);
                    if ((potrf != nullptr && potrf->fails) || (getrf != nullptr && getrf->fails)) {
                        last_failure_ = {p, steps == &pass.after};
                    }
                }
            }
        }
    }
    /// Of a panel's results in this pass.
    [[nodiscard]] bool may_fail_later() const {
        return last_failure_.first > pass_ ||
               (last_failure_.first == pass_ && last_failure_.second);
    }

    /// One that lives in this pass alone is another in each.
    int buffer(ValueId id, Cut cut) {
        const bool is_of_pass =
            cut != Cut::whole || (!is_kept(id) && !is_made(id) && !contains(staged_, id));
        const int pass = is_of_pass ? pass_ : -1;
        const auto found = std::find_if(
            plan_.buffers.begin(), plan_.buffers.end(),
            [&](const PanelBuffer& b) { return b.value == id && b.cut == cut && b.pass == pass; });
        if (found != plan_.buffers.end()) {
            return static_cast<int>(found - plan_.buffers.begin());
        }
        PanelBuffer made;
        made.value = id;
        made.cut = cut;
        made.pass = pass;
        made.place.is_staged = contains(staged_, id);
        plan_.buffers.push_back(made);
        return static_cast<int>(plan_.buffers.size()) - 1;
    }
    [[nodiscard]] bool is_on_chip(ValueId id) const {
        return std::any_of(plan_.buffers.begin(), plan_.buffers.end(), [&](const PanelBuffer& b) {
            return b.value == id && b.cut == Cut::whole && (b.pass < 0 || b.pass == pass_);
        });
    }

    void add(PanelAction action) {
        action.pass = pass_;
        const int now = static_cast<int>(plan_.actions.size());
        const auto touch = [&](int index) {
            if (index >= 0) {
                PanelBuffer& b = at(plan_.buffers, index);
                b.first = b.first < 0 ? now : b.first;
                b.last = now;
            }
        };
        std::for_each(action.reads.begin(), action.reads.end(), touch);
        touch(action.out);
        touch(action.out2);
        plan_.actions.push_back(std::move(action));
    }
    void add(ActionKind kind) {
        PanelAction action;
        action.kind = kind;
        add(std::move(action));
    }

    void add_load(const Transfer& read) {
        if (contains(staged_, read.value) && is_on_chip(read.value)) {
            return;
        }
        PanelAction action;
        action.kind = ActionKind::load;
        action.value = read.value;
        action.cut = read.cut;
        action.out = buffer(read.value, read.cut);
        if (is_made(read.value)) {
            store_between_passes(read.value);
        }
        add(std::move(action));
    }
    void store_between_passes(ValueId id) {
        if (!contains(plan_.stored, id)) {
            plan_.stored.push_back(id);
        }
    }

    void add_pass(const Pass& pass) {
        for (const Transfer& read : pass.reads) {
            if (read.cut == Cut::whole) {
                add_load(read);
            }
        }
        for (const int s : pass.before) {
            add_step(pass, s);
        }
        if (pass.dimension.size > 0) {
            add_panels(pass);
        }
        for (const int s : pass.after) {
            const auto sum = std::find_if(pass.contractions.begin(), pass.contractions.end(),
                                          [s](const Contraction& c) { return c.step == s; });
            if (sum == pass.contractions.end()) {
                add_step(pass, s);
            } else {
                add_finish(s);
            }
        }
        add_stores_of_whole(pass);
    }

    void add_step(const Pass& pass, int s) {
        if (program_.value(step(s).out).count() == 0) {
            return;
        }
        PanelAction action;
        action.step = s;
        const auto* potrf = std::get_if<Potrf>(&step(s).operation);
        for_each_use(step(s).operation, [&](const Use& use) {
            const bool is_root = potrf != nullptr && &use == &potrf->root;
            action.reads.push_back(is_root ? find_root(pass, s, use)
                                           : buffer(use.value, Cut::whole));
        });
        action.out = buffer(step(s).out, Cut::whole);
        action.out2 = step(s).out2 == kNoValue ? -1 : buffer(step(s).out2, Cut::whole);
        action.scratch_bytes = scratch_bytes(program_, step(s));
        add(std::move(action));
    }
    /// On chip, or where it can be read in device memory.
    int find_root(const Pass& pass, int s, const Use& root) {
        if (scratch_bytes(program_, step(s)) == 0) {
            return -1;
        }
        if (is_on_chip(root.value)) {
            return buffer(root.value, Cut::whole);
        }
        for (const RootAgain& again : pass.roots) {
            if (again.step == s) {
                plan_.reason =
                    fmt::format("the root of {} is on chip in panels alone when its factor is made",
                                to_text(program_, step(s)));
            }
        }
        if (is_made(root.value)) {
            store_between_passes(root.value);
        }
        return -1;
    }

    void add_panels(const Pass& pass) {
        for (int c = 0; c < static_cast<int>(pass.contractions.size()); ++c) {
            PanelAction action;
            action.kind = ActionKind::initial;
            action.step = at(pass.contractions, c).step;
            action.out = buffer(at(pass.contractions, c).value, Cut::whole);
            add(std::move(action));
        }
        add(ActionKind::begin_panels);
        for (const Transfer& read : pass.reads) {
            if (read.cut != Cut::whole) {
                add_load(read);
            }
        }
        for (int i = 0; i < static_cast<int>(pass.steps.size()); ++i) {
            add_panel_step(pass, i);
        }
        add(ActionKind::end_panels);
    }

    void add_panel_step(const Pass& pass, int i) {
        const PanelStep& one = at(pass.steps, i);
        const Step& s = step(one.step);
        check(one, s);
        PanelAction action;
        action.step = one.step;
        action.panel_step = i;
        const auto* gemm = std::get_if<Gemm>(&s.operation);
        std::size_t u = 0;
        for_each_use(s.operation, [&](const Use& use) {
            const bool is_late = one.contracts && gemm != nullptr && &use == &gemm->c;
            const Cut cut = one.uses[u++];
            const bool is_panel = matgrad::is_panel(plan_.regions, pass, program_, use.value, cut);
            action.reads.push_back(is_late ? -1 : buffer(use.value, is_panel ? cut : Cut::whole));
        });
        action.is_view = !one.contracts && is_kept(s.out);
        action.out = buffer(s.out, one.contracts || action.is_view ? Cut::whole : one.out);
        const int out = action.out;
        add(std::move(action));
        for (const Transfer& write : pass.writes) {
            if (write.value == s.out && !one.contracts && !one.again) {
                add_panel_store(write, out);
            }
        }
    }
    /// Is there a primitive for it?
    void check(const PanelStep& one, const Step& s) {
        const auto* reduce = std::get_if<Reduce>(&s.operation);
        const bool is_odd_diagonal = reduce != nullptr && one.domain != Cut::whole &&
                                     reduce->over == ReduceOver::diagonal &&
                                     reduce->rows.size != reduce->cols.size;
        const bool is_signed = reduce != nullptr && reduce->op == ReduceOp::signed_product;
        const bool is_factor = is_factorization(s.operation);
        if (is_odd_diagonal || is_signed || is_factor) {
            plan_.reason = fmt::format("{} is not done in panels", to_text(program_, s));
        }
    }
    void add_panel_store(const Transfer& write, int from) {
        const bool is_result = std::any_of(
            what_.results.begin(), what_.results.end(),
            [&](std::size_t result) { return program_.outputs[result].value == write.value; });
        if (is_result && may_fail_later()) {
            plan_.reason = fmt::format("panels of {} are written before the problem may fail",
                                       program_.value(write.value).text);
        }
        PanelAction action;
        action.kind = ActionKind::store;
        action.value = write.value;
        action.cut = write.cut;
        action.reads = {from};
        add(std::move(action));
    }

    void add_finish(int s) {
        PanelAction action;
        action.kind = ActionKind::finish;
        action.step = s;
        const auto* gemm = std::get_if<Gemm>(&step(s).operation);
        for_each_use(step(s).operation, [&](const Use& use) {
            const bool is_read = gemm != nullptr && &use == &gemm->c;
            action.reads.push_back(is_read ? buffer(use.value, Cut::whole) : -1);
        });
        action.out = buffer(step(s).out, Cut::whole);
        add(std::move(action));
    }

    /// At the end of the pass, but results not before all that may fail has been done.
    void add_stores_of_whole(const Pass& pass) {
        for (const Transfer& write : pass.writes) {
            if (write.cut == Cut::whole) {
                waiting_.push_back(write.value);
            }
        }
        if (pass_ < last_failure_.first) {
            return;
        }
        for (const ValueId id : waiting_) {
            PanelAction action;
            action.kind = ActionKind::store;
            action.value = id;
            action.reads = {buffer(id, Cut::whole)};
            add(std::move(action));
        }
        waiting_.clear();
    }

    /// What is whole and used by a panel is there for all panels; what is staged, for all problems.
    void extend_over_panels() {
        const int end = static_cast<int>(plan_.actions.size()) - 1;
        for (PanelBuffer& b : plan_.buffers) {
            if (b.place.is_staged) {
                b.first = 0;
                b.last = end;
            }
            int begin = 0;
            for (int k = 0; k <= end && b.cut == Cut::whole; ++k) {
                const ActionKind kind = at(plan_.actions, k).kind;
                if (kind == ActionKind::begin_panels) {
                    begin = k;
                } else if (kind == ActionKind::end_panels) {
                    b.first = b.first > begin && b.first < k ? begin : b.first;
                    b.last = b.last > begin && b.last < k ? k : b.last;
                }
            }
        }
    }

    const Program& program_;
    const FusedDescription& what_;
    const std::vector<int> producers_;
    PanelPlan plan_;
    std::vector<ValueId> staged_;
    std::vector<ValueId> waiting_;                     ///< whole results that are not stored yet
    std::pair<int, bool> last_failure_ = {-1, false};  ///< its pass, and is it after the panels?
    int pass_ = 0;
};

}  // namespace

PanelPlan list_actions(const Program& program, const FusedDescription& what, Regions regions,
                       bool stages_shared) {
    return ListActions(program, what, std::move(regions), stages_shared)();
}

}  // namespace matgrad::gpu
