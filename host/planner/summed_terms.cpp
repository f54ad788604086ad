#include "planner/summed_terms.hpp"

#include <algorithm>
#include <utility>

#include "program/uses.hpp"

namespace matgrad {
namespace {

class TermSorter {
public:
    TermSorter(const Program& program, const MapBody& body, std::int64_t rows, std::int64_t cols,
               const std::vector<int>& uses, const std::vector<int>& producers)
        : program_(program),
          body_(body),
          has_rows_(rows > 1),
          has_cols_(cols > 1),
          uses_(uses),
          producers_(producers),
          depends_(dependences(program, body, rows, cols)) {}

    SummedTerms sort() {
        SummedTerms found;
        for (const ProductTerm& term : product_terms(body_, depends_)) {
            SummedProduct product = as_product(term);
            if (is_product_) {
                found.products.push_back(std::move(product));
            } else {
                found.rest.push_back(term);
            }
        }
        while (give_up_one(found)) {
        }
        return found;
    }

private:
    [[nodiscard]] const MapOperand* load_of(const TermFactor& factor) const {
        const MapInstruction& c = body_.code[static_cast<std::size_t>(factor.reg)];
        return c.op == MapOp::load && !factor.reciprocal
                   ? &body_.operands[static_cast<std::size_t>(c.a)]
                   : nullptr;
    }
    [[nodiscard]] bool depend_on_batch(const std::vector<TermFactor>& factors) const {
        return std::any_of(factors.begin(), factors.end(), [&](const TermFactor& f) {
            return depends_[static_cast<std::size_t>(f.reg)].batch;
        });
    }

    /// The step that makes what the factor loads, if nobody but this body reads it.
    [[nodiscard]] const Step* own_step(const TermFactor& factor) const {
        const MapOperand* o = load_of(factor);
        if (o == nullptr || o->broadcast != Broadcast::none || !is_whole(o->use)) {
            return nullptr;
        }
        const auto value = static_cast<std::size_t>(o->use.value);
        const auto reads =
            std::count_if(body_.operands.begin(), body_.operands.end(),
                          [&](const MapOperand& other) { return other.use.value == o->use.value; });
        if (producers_[value] < 0 || reads != uses_[value]) {
            return nullptr;
        }
        const Step& step = program_.steps[static_cast<std::size_t>(producers_[value])];
        return step.scope == Scope::problem ? &step : nullptr;
    }

    /// A step whose result may be summed as a product.
    [[nodiscard]] bool makes_product(const Step& step) const {
        if (std::holds_alternative<Gemm>(step.operation) ||
            std::holds_alternative<Syrk>(step.operation)) {
            return true;
        }
        const auto* map = std::get_if<Map>(&step.operation);
        if (map == nullptr) {
            return false;
        }
        const Value& out = program_.value(step.out);
        TermSorter inner(program_, map->body, out.rows.size, out.cols.size, uses_, producers_);
        return !inner.sort().products.empty();
    }

    /// Sets is_product_.
    SummedProduct as_product(const ProductTerm& term) {
        SummedProduct p;
        p.term = term;
        std::vector<TermFactor> full;
        for (const TermFactor& f : term.factors) {
            const Dependence& d = depends_[static_cast<std::size_t>(f.reg)];
            (d.row == has_rows_ && d.col == has_cols_ ? full
             : d.row                                  ? p.left
             : d.col                                  ? p.right
                                                      : p.scalars)
                .push_back(f);
        }
        is_product_ = true;
        if (full.size() == 1) {
            const Step* step = own_step(full.front());
            const bool is_alone = term.factors.size() == 1;
            p.value_factor = full.front();
            p.kind = is_alone ? SummedProduct::Kind::whole : SummedProduct::Kind::scaled;
            if (step != nullptr && (is_alone ? makes_product(*step) : may_scale(*step))) {
                return p;
            }
        }
        p.kind = SummedProduct::Kind::outer;
        const bool is_matrix = has_rows_ && has_cols_;
        if (is_matrix) {
            is_product_ = full.empty() && depend_on_batch(p.left) && depend_on_batch(p.right);
        } else {
            is_product_ = depend_on_batch(full) && depend_on_batch(p.scalars);
            p.left = has_rows_ ? full : p.scalars;
            p.right = has_rows_ ? p.scalars : full;
            p.scalars.clear();
        }
        return p;
    }

    static bool may_scale(const Step& step) {
        const auto* gemm = std::get_if<Gemm>(&step.operation);
        return std::holds_alternative<Syrk>(step.operation) ||
               (gemm != nullptr && !is_present(gemm->c));
    }

    void mark_loads(int reg, std::vector<bool>& loaded) const {
        const MapInstruction& c = body_.code[static_cast<std::size_t>(reg)];
        if (c.op == MapOp::load) {
            const Use& use = body_.operands[static_cast<std::size_t>(c.a)].use;
            loaded[static_cast<std::size_t>(use.value)] = true;
            return;
        }
        for (const int operand : {c.a, c.b}) {
            if (operand >= 0) {
                mark_loads(operand, loaded);
            }
        }
    }

    /// A product whose value something else reads as well has to be made: it goes to the rest.
    bool give_up_one(SummedTerms& found) const {
        std::vector<bool> loaded(program_.values.size(), false);
        const auto mark = [&](const std::vector<TermFactor>& factors) {
            for (const TermFactor& f : factors) {
                mark_loads(f.reg, loaded);
            }
        };
        for (const ProductTerm& term : found.rest) {
            mark(term.factors);
        }
        for (const SummedProduct& p : found.products) {
            mark(p.left);
            mark(p.right);
            mark(p.scalars);
        }
        const auto value_of = [&](const SummedProduct& p) {
            return load_of(p.value_factor)->use.value;
        };
        const auto is_needed = [&](const SummedProduct& p) {
            if (p.kind == SummedProduct::Kind::outer) {
                return false;
            }
            const auto others = std::count_if(
                found.products.begin(), found.products.end(), [&](const SummedProduct& other) {
                    return other.kind != SummedProduct::Kind::outer &&
                           value_of(other) == value_of(p) &&
                           (p.kind == SummedProduct::Kind::scaled ||
                            other.kind == SummedProduct::Kind::scaled);
                });
            return loaded[static_cast<std::size_t>(value_of(p))] ||
                   others > (p.kind == SummedProduct::Kind::scaled ? 1 : 0);
        };
        const auto needed = std::find_if(found.products.begin(), found.products.end(), is_needed);
        if (needed == found.products.end()) {
            return false;
        }
        found.rest.push_back(std::move(needed->term));
        found.products.erase(needed);
        return true;
    }

    const Program& program_;
    const MapBody& body_;
    bool has_rows_, has_cols_;
    const std::vector<int>& uses_;
    const std::vector<int>& producers_;
    std::vector<Dependence> depends_;
    bool is_product_ = false;
};

}  // namespace

SummedTerms find_summed_terms(const Program& program, const MapBody& body, std::int64_t rows,
                              std::int64_t cols, const std::vector<int>& uses,
                              const std::vector<int>& producers) {
    return TermSorter(program, body, rows, cols, uses, producers).sort();
}

}  // namespace matgrad
