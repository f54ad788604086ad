#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "planner/edit.hpp"
#include "planner/passes.hpp"
#include "planner/summed_terms.hpp"
#include "program/cost.hpp"

namespace matgrad {
namespace {

const Extent kOne{"1", 1};

/// One sum over the batch, taken apart in a Program that is given up if that does not pay.
class BatchSumSplitter {
public:
    BatchSumSplitter(Program& program, std::size_t at)
        : program_(program),
          at_(at),
          uses_(count_uses(program)),
          producers_(find_producers(program)),
          out_(program.value(program.steps[at].out)) {}

    /// False: there is nothing to take apart.
    bool split() {
        const Use use = std::get<BatchReduce>(program_.steps[at_].operation).a;
        const int producer = producers_[static_cast<std::size_t>(use.value)];
        if (producer < 0 || use.transposed || !is_whole(use) ||
            uses_[static_cast<std::size_t>(use.value)] != 1) {
            return false;
        }
        const Step step = program_.steps[static_cast<std::size_t>(producer)];
        text_ = program_.value(use.value).text;
        if (step.scope != Scope::problem || out_.count() <= 1) {
            return false;
        }
        const auto* map = std::get_if<Map>(&step.operation);
        const auto* gemm = std::get_if<Gemm>(&step.operation);
        const bool found = map != nullptr    ? split_map(map->body)
                           : gemm != nullptr ? split_gemm(*gemm)
                                             : false;
        if (found) {
            finish();
        }
        return found;
    }

private:
    /// What is summed by itself, and what becomes of its sum.
    struct Part {
        Use use;
        double coefficient = 1;
        std::vector<MapOp> masks;
    };
    using Factors = std::vector<TermFactor>;

    bool split_gemm(const Gemm& g) {
        if (!is_present(g.c) || g.beta == 0) {
            return false;
        }
        is_single_ = false;
        parts_.push_back({emit(Gemm{g.a, g.b, g.alpha, 0, {}}, out_.rows, out_.cols), 1, {}});
        parts_.push_back({g.c, g.beta, {}});
        return true;
    }

    bool split_map(const MapBody& body) {
        body_ = body;
        const SummedTerms found =
            find_summed_terms(program_, body, out_.rows.size, out_.cols.size, uses_, producers_);
        if (found.products.empty()) {
            return false;
        }
        is_single_ = found.products.size() == 1 && found.rest.empty();
        for (const SummedProduct& p : found.products) {
            Part part{{}, p.term.coefficient, masks_of(p.term)};
            if (p.kind == SummedProduct::Kind::whole) {
                part.use = load_of(p.value_factor)->use;
            } else {
                part.use = p.kind == SummedProduct::Kind::outer ? outer(p) : scaled(p);
                part.coefficient = 1;
            }
            parts_.push_back(std::move(part));
        }
        if (!found.rest.empty()) {
            parts_.push_back(rest(found.rest));
        }
        return parts_.size() <= kMaxBodyOperands;
    }

    [[nodiscard]] std::vector<MapOp> masks_of(const ProductTerm& term) const {
        std::vector<MapOp> masks;
        for (const int reg : term.masks) {
            masks.push_back(body_.code[static_cast<std::size_t>(reg)].op);
        }
        return masks;
    }

    [[nodiscard]] const MapOperand* load_of(const TermFactor& factor) const {
        const MapInstruction& c = body_.code[static_cast<std::size_t>(factor.reg)];
        return c.op == MapOp::load && !factor.reciprocal
                   ? &body_.operands[static_cast<std::size_t>(c.a)]
                   : nullptr;
    }

    /// A column times a row, or a vector times a scalar: a product of inner dimension 1.
    Use outer(const SummedProduct& p) {
        Factors left = p.left;
        Factors right = p.right;
        const auto is_ready = [&](const Factors& side) {
            return side.size() == 1 && load_of(side.front()) != nullptr;
        };
        if (!p.scalars.empty()) {
            const bool to_left = is_ready(left) == is_ready(right)
                                     ? out_.rows.size <= out_.cols.size
                                     : !is_ready(left);
            Factors& side = to_left ? left : right;
            side.insert(side.end(), p.scalars.begin(), p.scalars.end());
        }
        const Use a = product(left, out_.rows, kOne, {});
        const Use b = product(right, kOne, out_.cols, {});
        return emit(Gemm{a, b, p.term.coefficient, 0, {}}, out_.rows, out_.cols);
    }

    /// A product whose entries are scaled: one of its factors is.
    Use scaled(const SummedProduct& p) {
        const Use use = load_of(p.value_factor)->use;
        const int producer = producers_[static_cast<std::size_t>(use.value)];
        const Operation& operation = program_.steps[static_cast<std::size_t>(producer)].operation;
        Gemm g;
        if (const auto* syrk = std::get_if<Syrk>(&operation)) {
            g = {syrk->a, transposed(syrk->a), syrk->alpha, 0, {}};
        } else {
            g = std::get<Gemm>(operation);
        }
        if (use.transposed) {
            g = {transposed(g.b), transposed(g.a), g.alpha, 0, {}};
        }
        Factors left = p.left;
        Factors right = p.right;
        const auto size = [&](const Use& u) {
            return rows_of(program_, u).size * cols_of(program_, u).size;
        };
        const bool to_left = left.empty() == right.empty() ? size(g.a) <= size(g.b) : !left.empty();
        Factors& side = to_left ? left : right;
        side.insert(side.end(), p.scalars.begin(), p.scalars.end());
        if (!left.empty()) {
            g.a = product(left, rows_of(program_, g.a), cols_of(program_, g.a), g.a);
        }
        if (!right.empty()) {
            g.b = product(right, rows_of(program_, g.b), cols_of(program_, g.b), g.b);
        }
        g.alpha *= p.term.coefficient;
        return emit(g, out_.rows, out_.cols);
    }

    /// The terms that are no products, as one value.
    Part rest(const std::vector<ProductTerm>& terms) {
        const ProductTerm& first = terms.front();
        if (terms.size() == 1 && first.factors.size() == 1) {
            const MapOperand* o = load_of(first.factors.front());
            if (o != nullptr && o->broadcast == Broadcast::none) {
                return {o->use, first.coefficient, masks_of(first)};
            }
        }
        Map map;
        BodyWriter writer(map.body);
        int total = -1;
        for (const ProductTerm& term : terms) {
            int reg = written(writer, term.factors, out_.rows, out_.cols, -1);
            for (const MapOp mask : masks_of(term)) {
                reg = writer.binary(MapOp::mask, reg, writer.mask(mask));
            }
            reg = writer.scale(term.coefficient, reg);
            total = total < 0 ? reg : writer.binary(MapOp::add, total, reg);
        }
        writer.finish(total);
        return {emit(std::move(map), out_.rows, out_.cols), 1, {}};
    }

    /// The factors (times `base`, if present) as one matrix.
    Use product(const Factors& factors, const Extent& rows, const Extent& cols, const Use& base) {
        if (factors.size() == 1 && !is_present(base)) {
            if (const MapOperand* o = load_of(factors.front())) {
                return o->use;
            }
        }
        Map map;
        BodyWriter writer(map.body);
        const int start = is_present(base) ? writer.load(base) : -1;
        writer.finish(written(writer, factors, rows, cols, start));
        return emit(std::move(map), rows, cols);
    }

    /// Writes the product of the factors over a domain of rows x cols; `start`: what they multiply, or -1.
    int written(BodyWriter& writer, const Factors& factors, const Extent& rows, const Extent& cols,
                int start) {
        std::vector<int> copied(body_.code.size(), -1);
        int result = start;
        for (const TermFactor& f : factors) {
            if (!f.reciprocal) {
                const int reg = copy(writer, f.reg, rows, cols, copied);
                result = result < 0 ? reg : writer.binary(MapOp::mul, result, reg);
            }
        }
        for (const TermFactor& f : factors) {
            if (f.reciprocal) {
                const int reg = copy(writer, f.reg, rows, cols, copied);
                result = writer.binary(MapOp::div, result < 0 ? writer.constant(1) : result, reg);
            }
        }
        return result;
    }

    int copy(BodyWriter& writer, int reg, const Extent& rows, const Extent& cols,
             std::vector<int>& copied) {
        int& there = copied[static_cast<std::size_t>(reg)];
        if (there >= 0) {
            return there;
        }
        MapInstruction c = body_.code[static_cast<std::size_t>(reg)];
        if (c.op == MapOp::load) {
            const Use& use = body_.operands[static_cast<std::size_t>(c.a)].use;
            const bool has_rows = rows_of(program_, use).size == rows.size;
            const bool has_cols = cols_of(program_, use).size == cols.size;
            there = writer.load(use, has_rows && has_cols              ? Broadcast::none
                                     : rows_of(program_, use).size > 1 ? Broadcast::column
                                     : cols_of(program_, use).size > 1 ? Broadcast::row
                                                                       : Broadcast::scalar);
            return there;
        }
        for (int* operand : {&c.a, &c.b}) {
            if (*operand >= 0) {
                *operand = copy(writer, *operand, rows, cols, copied);
            }
        }
        return there = writer.emit(c);
    }

    /// A step before the sum.
    Use emit(Operation operation, const Extent& rows, const Extent& cols) {
        Step step;
        step.scope = Scope::shared;
        for_each_use(std::as_const(operation), [&](const Use& u) {
            step.scope = std::max(step.scope, program_.value(u.value).scope);
        });
        Value v;
        if (const auto* sum = std::get_if<BatchReduce>(&operation)) {
            step.scope = Scope::reduced;
            step.why = "over the problems that succeed";
            v.text = "sum of " + program_.value(sum->a.value).text;
        } else if (std::holds_alternative<Gemm>(operation)) {
            v.text = (is_single_ ? "" : "a product in ") + text_;
        } else {
            v.text = "a part of " + text_;
        }
        v.rows = rows;
        v.cols = cols;
        v.type = program_.type;
        v.scope = step.scope;
        step.operation = std::move(operation);
        step.out = static_cast<ValueId>(program_.values.size());
        program_.values.push_back(std::move(v));
        added_.push_back(std::move(step));
        return {added_.back().out};
    }

    /// The parts are summed, and their sums make the result.
    void finish() {
        const Part& first = parts_.front();
        if (parts_.size() == 1 && first.coefficient == 1 && first.masks.empty()) {
            program_.steps[at_].operation = BatchReduce{first.use};
        } else {
            Map map;
            BodyWriter writer(map.body);
            int total = -1;
            for (const Part& part : parts_) {
                int reg = writer.load(sum_of(part.use));
                for (const MapOp mask : part.masks) {
                    reg = writer.binary(MapOp::mask, reg, writer.mask(mask));
                }
                reg = writer.scale(part.coefficient, reg);
                total = total < 0 ? reg : writer.binary(MapOp::add, total, reg);
            }
            writer.finish(total);
            program_.steps[at_].operation = std::move(map);
            program_.steps[at_].why = "each term is summed by itself";
        }
        program_.steps.insert(program_.steps.begin() + static_cast<std::ptrdiff_t>(at_),
                              added_.begin(), added_.end());
        remove_dead(program_);
    }

    /// One sum serves a value and its transpose.
    Use sum_of(Use use) {
        const bool flipped = std::exchange(use.transposed, false);
        auto& sum = sums_[{use.value, use.row, use.col}];
        if (!sum) {
            sum = emit(BatchReduce{use}, rows_of(program_, use), cols_of(program_, use));
        }
        return flipped ? transposed(*sum) : *sum;
    }

    Program& program_;
    std::size_t at_;
    std::vector<int> uses_, producers_;
    Value out_;
    MapBody body_;
    std::string text_;
    bool is_single_ = false;
    std::vector<Part> parts_;
    std::vector<Step> added_;
    std::map<std::tuple<ValueId, std::int64_t, std::int64_t>, std::optional<Use>> sums_;
};

/// Of a run in which products that are only summed are never written.
double seconds_if_folded(Program program) {
    fold_batch(program);
    count_costs(program);
    const std::vector<int> producers = find_producers(program);
    std::vector<Step> left;
    for (const Step& step : program.steps) {
        if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
            const int at = producers[static_cast<std::size_t>(sum->a.value)];
            if (at >= 0 && program.steps[static_cast<std::size_t>(at)].fold == Fold::inner) {
                continue;
            }
        }
        left.push_back(step);
        if (step.fold == Fold::inner) {
            const Value& out = program.value(step.out);
            left.back().bytes -= static_cast<double>(out.count() * size_of(out.type));
        }
    }
    program.steps = std::move(left);
    return predicted_seconds(program);
}

/// Scalars and masks are repeated in each term, so an expression may have become too long.
bool bodies_fit(const Program& program) {
    return std::all_of(program.steps.begin(), program.steps.end(), [](const Step& step) {
        const auto* map = std::get_if<Map>(&step.operation);
        return map == nullptr || (map->body.code.size() <= kMaxBodyCode &&
                                  map->body.operands.size() <= kMaxBodyOperands);
    });
}

}  // namespace

void split_batch_sums(Program& program) {
    double best = -1;
    for (std::size_t i = 0; i < program.steps.size();) {
        if (!std::holds_alternative<BatchReduce>(program.steps[i].operation)) {
            ++i;
            continue;
        }
        Program candidate = program;
        if (!BatchSumSplitter(candidate, i).split() || !bodies_fit(candidate)) {
            ++i;
            continue;
        }
        best = best < 0 ? seconds_if_folded(program) : best;
        const double seconds = seconds_if_folded(candidate);
        if (seconds < best) {
            program = std::move(candidate);
            best = seconds;
            i = 0;
        } else {
            ++i;
        }
    }
}

}  // namespace matgrad
