#include <algorithm>
#include <limits>

#include "program/aliasing.hpp"
#include "program/region_bytes.hpp"
#include "program/region_parts.hpp"

namespace matgrad::detail {
namespace {

Contraction contraction_of(const Step& step, int index) {
    Contraction found{index, step.out, Join::sum, 0};
    if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        switch (reduce->op) {
            case ReduceOp::sum:
                break;
            case ReduceOp::max:
                found.join = Join::max;
                found.initial = -std::numeric_limits<double>::infinity();
                break;
            case ReduceOp::norm:
                found.join = Join::norm;
                break;
            case ReduceOp::product:
            case ReduceOp::signed_product:
                found.join = Join::product;
                found.initial = 1;
                break;
        }
    }
    return found;
}

class Builder {
public:
    Builder(const Program& program, const Dimensions& dimensions, const Schedule& schedule,
            const std::vector<Fate>& fates)
        : program_(program),
          dimensions_(dimensions),
          schedule_(schedule),
          fates_(fates),
          fetched_(program.values.size(), false) {
        passes_.resize(schedule.dimensions.size());
        for (std::vector<bool>& steps : runs_ = decltype(runs_)(passes_.size())) {
            steps.assign(program.steps.size(), false);
        }
    }

    Regions run(std::int64_t limit) {
        for (int p = last_pass(); p >= 0; --p) {
            choose_steps(p);
        }
        Regions regions;
        for (int p = 0; p <= last_pass(); ++p) {
            regions.passes.push_back(make_pass(p));
        }
        for (ValueId v = 0; v < static_cast<ValueId>(program_.values.size()); ++v) {
            if (is_kept(v)) {
                regions.kept.push_back(v);
            }
        }
        count_transfers(regions);
        measure(program_, dimensions_, limit, regions);
        return regions;
    }

private:
    [[nodiscard]] int last_pass() const { return static_cast<int>(passes_.size()) - 1; }
    [[nodiscard]] int dimension_of(int pass) const { return at(schedule_.dimensions, pass); }
    [[nodiscard]] bool contracts(int s) const {
        return dimensions_.out_cut(s, dimension_of(at(schedule_.pass, s))) == Cut::whole;
    }
    /// Made panel by panel, in the pass of its step.
    [[nodiscard]] bool is_local(ValueId v) const {
        const int s = at(dimensions_.producers, v);
        return s >= 0 && at(schedule_.phase, s) == Phase::panels && !contracts(s);
    }
    [[nodiscard]] bool is_kept(ValueId v) const {
        const bool is_panelled = is_local(v) ? at(fetched_, v) : at(dimensions_.producers, v) < 0;
        return is_panelled && at(fates_, v) == Fate::kept;
    }
    /// Comes from memory in this pass, if it is used there.
    [[nodiscard]] bool comes_from_memory(ValueId v, int pass) const {
        const int s = at(dimensions_.producers, v);
        return s < 0 || (is_local(v) && at(schedule_.pass, s) < pass && !at(at(runs_, pass), s) &&
                         at(fates_, v) != Fate::kept);
    }

    /// From the last pass to the first: which steps run in the panels of each, and what earlier ones leave for it.
    void choose_steps(int pass) {
        for (const int s : dimensions_.inside) {
            if (at(schedule_.pass, s) != pass) {
                continue;
            }
            const ValueId out = at(program_.steps, s).out;
            if (at(schedule_.phase, s) != Phase::panels) {
                for (const Use& use : at(dimensions_.steps, s).reads) {
                    if (is_local(use.value)) {
                        at(fetched_, use.value) = true;
                    }
                }
            } else if (contracts(s) || at(dimensions_.is_result, out) || at(fetched_, out)) {
                include(s, at(runs_, pass), pass);
            }
        }
        for (const int s : dimensions_.inside) {
            choose_root_again(s, pass);
        }
    }

    /// The step runs in the panels of the pass, and so does what its panels need.
    void include(int s, std::vector<bool>& runs, int pass) {
        if (at(runs, s)) {
            return;
        }
        at(runs, s) = true;
        for (const Use& use : at(dimensions_.steps, s).reads) {
            if (is_local(use.value)) {
                need(use.value, runs, pass);
            }
        }
    }
    void need(ValueId v, std::vector<bool>& runs, int pass) {
        const int s = at(dimensions_.producers, v);
        const int made = at(schedule_.pass, s);
        const bool is_again = at(fates_, v) == Fate::again &&
                              dimension_of(made) == dimension_of(pass) && is_always_cut(v);
        if (made == pass || is_again) {
            include(s, runs, pass);
        } else {
            at(fetched_, v) = true;
        }
    }

    /// As it was made, by all who read it in a pass over the same dimension.
    [[nodiscard]] bool is_always_cut(ValueId v) const {
        const int producer = at(dimensions_.producers, v);
        const int dimension = dimension_of(at(schedule_.pass, producer));
        const Cut made = dimensions_.out_cut(producer, dimension);
        return std::all_of(dimensions_.inside.begin(), dimensions_.inside.end(), [&](int s) {
            const StepIndices& reader = at(dimensions_.steps, s);
            for (std::size_t u = 0; u < reader.reads.size(); ++u) {
                if (reader.reads[u].value == v &&
                    dimensions_.cut(s, reader.uses[u], dimension) != made &&
                    dimension_of(at(schedule_.pass, s)) == dimension) {
                    return false;
                }
            }
            return true;
        });
    }

    void choose_root_again(int s, int pass) {
        const std::optional<Use>& root = at(dimensions_.steps, s).root;
        if (!root || at(schedule_.pass, s) != pass || !is_local(root->value)) {
            return;
        }
        const int producer = at(dimensions_.producers, root->value);
        if (at(dimensions_.is_result, root->value) || at(fates_, root->value) != Fate::again) {
            at(fetched_, root->value) = true;
            if (at(schedule_.pass, producer) == pass) {
                include(producer, at(runs_, pass), pass);
            }
            return;
        }
        std::vector<bool> runs(program_.steps.size(), false);
        include(producer, runs, at(schedule_.pass, producer));
        RootAgain again{s, {}};
        for (const int t : dimensions_.inside) {
            if (at(runs, t)) {
                again.steps.push_back(t);
            }
        }
        at(passes_, pass).roots.push_back(again);
    }

    [[nodiscard]] Pass make_pass(int p) {
        Pass& pass = at(passes_, p);
        const int dimension = dimension_of(p);
        if (dimension >= 0) {
            pass.dimension = at(dimensions_.extents, dimension);
        }
        for (const int s : dimensions_.inside) {
            if (at(at(runs_, p), s)) {
                add_panel_step(pass, s, p);
            }
            if (at(schedule_.pass, s) != p) {
                continue;
            }
            const Phase phase = at(schedule_.phase, s);
            if (phase == Phase::before) {
                pass.before.push_back(s);
            } else if (phase == Phase::after || contracts(s)) {
                pass.after.push_back(s);
            }
        }
        add_reads(pass, p);
        add_writes(pass, p);
        return pass;
    }

    void add_panel_step(Pass& pass, int s, int p) const {
        const StepIndices& indices = at(dimensions_.steps, s);
        PanelStep step;
        step.step = s;
        step.out = dimensions_.out_cut(s, dimension_of(p));
        step.domain = dimensions_.cut(s, indices.domain.value_or(indices.out), dimension_of(p));
        step.contracts = step.out == Cut::whole;
        for (int q = 0; q < p; ++q) {
            step.again = step.again || at(at(runs_, q), s);
        }
        step.needs_offset = indices.knows_place;
        for (const Sides& sides : indices.uses) {
            step.uses.push_back(dimensions_.cut(s, sides, dimension_of(p)));
        }
        if (step.contracts) {
            pass.contractions.push_back(contraction_of(at(program_.steps, s), s));
        }
        pass.steps.push_back(std::move(step));
    }

    /// A value comes whole if one use needs it so, or if it is kept; otherwise by panels of what the uses read.
    void add_reads(Pass& pass, int p) const {
        const auto add = [&](ValueId v, Cut cut) {
            if (!comes_from_memory(v, p) || (is_kept(v) && is_read_before(v, p))) {
                return;
            }
            cut = is_kept(v) ? Cut::whole : cut;
            const auto has = [v](Cut other) {
                return [v, other](const Transfer& t) { return t.value == v && t.cut == other; };
            };
            std::vector<Transfer>& reads = pass.reads;
            if (std::any_of(reads.begin(), reads.end(), has(cut)) ||
                std::any_of(reads.begin(), reads.end(), has(Cut::whole))) {
                return;
            }
            if (cut == Cut::whole) {
                reads.erase(std::remove_if(reads.begin(), reads.end(),
                                           [v](const Transfer& t) { return t.value == v; }),
                            reads.end());
            }
            reads.push_back({v, cut});
        };
        for (const int s : pass.before) {
            for (const Use& use : at(dimensions_.steps, s).reads) {
                add(use.value, Cut::whole);
            }
        }
        for (const PanelStep& step : pass.steps) {
            const StepIndices& indices = at(dimensions_.steps, step.step);
            for (std::size_t u = 0; u < step.uses.size(); ++u) {
                if (!step.contracts || indices.c != u) {
                    add(indices.reads[u].value, step.uses[u]);
                }
            }
        }
        for (const int s : pass.after) {
            const StepIndices& indices = at(dimensions_.steps, s);
            for (std::size_t u = 0; u < indices.reads.size(); ++u) {
                if (at(schedule_.phase, s) != Phase::panels || indices.c == u) {
                    add(indices.reads[u].value, Cut::whole);
                }
            }
        }
    }
    [[nodiscard]] bool is_read_before(ValueId v, int p) const {
        for (int q = 0; q < p; ++q) {
            for (const Transfer& read : at(passes_, q).reads) {
                if (read.value == v) {
                    return true;
                }
            }
        }
        return false;
    }

    void add_writes(Pass& pass, int p) const {
        for (const int s : dimensions_.inside) {
            if (at(schedule_.pass, s) != p) {
                continue;
            }
            const Step& step = at(program_.steps, s);
            for (const ValueId v : {step.out, step.out2}) {
                const bool is_stored = v != kNoValue && at(fetched_, v) && !is_kept(v);
                if (v != kNoValue && (at(dimensions_.is_result, v) || is_stored)) {
                    pass.writes.push_back(
                        {v, is_local(v) ? dimensions_.out_cut(s, dimension_of(p)) : Cut::whole});
                }
            }
        }
    }

    void count_transfers(Regions& regions) const {
        std::vector<bool> is_read(program_.values.size(), false);
        const auto bytes = [&](ValueId v) {
            return program_.value(v).count() * size_of(program_.value(v).type);
        };
        for (const Pass& pass : regions.passes) {
            for (const Transfer& read : pass.reads) {
                const bool is_shared = program_.value(read.value).scope == Scope::shared;
                (is_shared ? regions.shared_bytes_read : regions.bytes_read) += bytes(read.value);
                if (!is_shared && at(dimensions_.producers, read.value) < 0 &&
                    !at(is_read, read.value)) {
                    at(is_read, read.value) = true;
                    regions.least_read += bytes(read.value);
                }
            }
            for (const Transfer& write : pass.writes) {
                regions.bytes_written += bytes(write.value);
                regions.least_written +=
                    at(dimensions_.is_result, write.value) ? bytes(write.value) : 0;
            }
        }
    }

    const Program& program_;
    const Dimensions& dimensions_;
    const Schedule& schedule_;
    const std::vector<Fate>& fates_;
    std::vector<bool> fetched_;  ///< local values that a later pass takes from memory or chip
    std::vector<std::vector<bool>> runs_;  ///< per pass: steps in its panels
    std::vector<Pass> passes_;
};

}  // namespace

Regions build_regions(const Program& program, const Dimensions& dimensions,
                      const Schedule& schedule, const std::vector<Fate>& fates,
                      std::int64_t limit) {
    return Builder(program, dimensions, schedule, fates).run(limit);
}

}  // namespace matgrad::detail
