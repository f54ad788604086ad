#include <algorithm>
#include <optional>

#include "planner/body_terms.hpp"
#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

using Term = LinearTerm;

/// How many instructions of the body read this register.
int readers(const MapBody& body, int reg) {
    int count = 0;
    for (const MapInstruction& c : body.code) {
        if (c.op != MapOp::load) {
            count += (c.a == reg) + (c.b == reg);
        }
    }
    return count;
}

/// A use of a value that was replaced by a view of another one.
Use replaced(Use use, ValueId with, bool flipped) {
    use.value = with;
    if (flipped) {
        std::swap(use.row, use.col);
        use.transposed = !use.transposed;
    }
    return use;
}

void replace_value(Program& program, ValueId old, ValueId with, bool flipped) {
    for (Step& s : program.steps) {
        for_each_use(s.operation, [&](Use& u) {
            if (u.value == old) {
                u = replaced(u, with, flipped);
            }
        });
    }
    for (ProgramOutput& o : program.outputs) {
        if (o.value == old) {
            o.value = with;
            o.transposed = o.transposed != flipped;
        }
    }
}

void flip(Program& program, Gemm& g, ValueId out) {
    g = Gemm{transposed(g.b), transposed(g.a), g.alpha, g.beta,
             is_present(g.c) ? transposed(g.c) : g.c};
    Value& v = program.value(out);
    std::swap(v.rows, v.cols);
}

/// Empties a step, to be dropped at the end: indices stay what they were.
void discard(Step& step) {
    step.operation = Copy{};
    step.out = kNoValue;
}

/// One map step under examination.
class Absorber {
public:
    explicit Absorber(Program& program) : program_(program) {}

    void run() {
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            if (std::holds_alternative<Map>(program_.steps[i].operation)) {
                if (changed_) {
                    uses_ = count_uses(program_);
                    producers_ = find_producers(program_);
                    changed_ = false;
                }
                absorb(i);
            }
        }
        program_.steps.erase(std::remove_if(program_.steps.begin(), program_.steps.end(),
                                            [](const Step& s) { return s.out == kNoValue; }),
                             program_.steps.end());
    }

private:
    [[nodiscard]] const MapOperand* loaded(const MapBody& body, const Term& t) const {
        const MapInstruction& c = body.code[static_cast<std::size_t>(t.reg)];
        return c.op == MapOp::load ? &body.operands[static_cast<std::size_t>(c.a)] : nullptr;
    }

    /// The step that computes this term, if the term is its only reader and may be scaled there.
    [[nodiscard]] Step* absorbing_step(const MapBody& body, const Term& t, const Step& map) {
        const MapOperand* o = loaded(body, t);
        if (o == nullptr || o->broadcast != Broadcast::none || !is_whole(o->use) ||
            uses_[static_cast<std::size_t>(o->use.value)] != 1 || readers(body, t.reg) > 1) {
            return nullptr;
        }
        const int at = producers_[static_cast<std::size_t>(o->use.value)];
        if (at < 0) {
            return nullptr;
        }
        Step& step = program_.steps[static_cast<std::size_t>(at)];
        return step.scope == map.scope ? &step : nullptr;
    }

    void absorb(std::size_t index) {
        const Step map = program_.steps[index];
        const MapBody& body = std::get<Map>(map.operation).body;
        if (body.code.empty()) {
            return;
        }
        const std::vector<Term> terms = linear_terms(body);
        if (terms.size() == 1) {
            absorb_factor(index, map, body, terms.front());
        } else {
            absorb_sum(index, map, body, terms);
        }
    }

    void absorb_factor(std::size_t index, const Step& map, const MapBody& body, const Term& term) {
        Step* step = absorbing_step(body, term, map);
        if (step == nullptr) {
            return;
        }
        if (auto* g = std::get_if<Gemm>(&step->operation)) {
            g->alpha *= term.coefficient;
            g->beta *= term.coefficient;
        } else if (auto* s = std::get_if<Syrk>(&step->operation)) {
            s->alpha *= term.coefficient;
        } else if (auto* t = std::get_if<Trsm>(&step->operation);
                   t != nullptr && term.coefficient != 0) {  // 0 * NaN is NaN, a BLAS writes 0
            t->alpha *= term.coefficient;
        } else if (auto* r = std::get_if<Reduce>(&step->operation);
                   r != nullptr && r->op == ReduceOp::sum) {
            r->scale *= term.coefficient;
        } else {
            return;
        }
        changed_ = true;
        const MapOperand& o = *loaded(body, term);
        take_name(step->out, map.out, o.use.transposed);
        discard(program_.steps[index]);
        replace_value(program_, map.out, step->out, o.use.transposed);
    }

    void take_name(ValueId to, ValueId from, bool flipped) {
        const std::string& text = program_.value(from).text;
        program_.value(to).text = flipped ? "(" + text + ")'" : text;
    }

    struct Product {
        Term term;
        Use use;
        Step step;
        int at = -1;
    };

    /// g1 + 2*g2 - h: the second gemm adds to the first one's result, the first one to h.
    void absorb_sum(std::size_t index, const Step& map, const MapBody& body,
                    const std::vector<Term>& terms) {
        std::vector<Product> products;
        std::vector<Term> rest;
        for (const Term& t : terms) {
            Step* step = absorbing_step(body, t, map);
            const auto* g = step != nullptr ? std::get_if<Gemm>(&step->operation) : nullptr;
            if (g != nullptr && !is_present(g->c) && once(terms, t.reg)) {
                products.push_back({t, loaded(body, t)->use, *step,
                                    static_cast<int>(step - program_.steps.data())});
            } else {
                rest.push_back(t);
            }
        }
        const bool simple = rest.size() == 1 && is_plain(body, rest.front(), map);
        if (products.empty() || (products.size() == 1 && !simple)) {
            return;
        }
        changed_ = true;
        const bool flipped =
            simple ? loaded(body, rest.front())->use.transposed : products.front().use.transposed;
        Use sum = simple ? loaded(body, rest.front())->use : Use{};
        sum.transposed = false;
        double beta = simple ? rest.front().coefficient : 0;
        std::vector<Step> replacement;
        for (Product& p : products) {
            auto& g = std::get<Gemm>(p.step.operation);
            if (p.use.transposed != flipped) {
                flip(program_, g, p.step.out);
            }
            g.alpha *= p.term.coefficient;
            g.c = sum;
            g.beta = beta;
            discard(program_.steps[static_cast<std::size_t>(p.at)]);
            if (is_present(sum)) {
                p.step.why = "added to the rest of the sum by beta";
            }
            sum = {p.step.out};
            beta = 1;
            replacement.push_back(p.step);
        }
        if (simple || rest.empty()) {
            take_name(sum.value, map.out, flipped);
            replace_value(program_, map.out, sum.value, flipped);
            discard(program_.steps[index]);
        } else {
            rewrite_rest(program_.steps[index], body, rest, {sum.value, flipped});
        }
        program_.steps.insert(program_.steps.begin() + static_cast<std::ptrdiff_t>(index),
                              replacement.begin(), replacement.end());
        // The steps moved: what stands at `index` now is a gemm; the loop goes on behind it.
    }

    static bool once(const std::vector<Term>& terms, int reg) {
        return std::count_if(terms.begin(), terms.end(),
                             [&](const Term& t) { return t.reg == reg; }) == 1;
    }

    /// A whole matrix that can be the c of a gemm.
    [[nodiscard]] bool is_plain(const MapBody& body, const Term& t, const Step& map) const {
        const MapOperand* o = loaded(body, t);
        if (o == nullptr || o->broadcast != Broadcast::none || !is_whole(o->use)) {
            return false;
        }
        const Value& out = program_.value(map.out);
        return rows_of(program_, o->use).size == out.rows.size &&
               cols_of(program_, o->use).size == out.cols.size;
    }

    static void rewrite_rest(Step& step, const MapBody& old, const std::vector<Term>& rest,
                             const Use& sum) {
        MapBody body = old;
        BodyWriter writer(body);
        int total = writer.load(sum);
        for (const Term& t : rest) {
            total = writer.binary(MapOp::add, total, writer.scale(t.coefficient, t.reg));
        }
        writer.finish(total);
        std::get<Map>(step.operation).body = std::move(body);
    }

    Program& program_;
    std::vector<int> uses_;
    std::vector<int> producers_;
    bool changed_ = true;  // since uses_ and producers_ were counted
};

}  // namespace

void absorb_scalars(Program& program) {
    Absorber(program).run();
    remove_dead(program);
}

}  // namespace matgrad
