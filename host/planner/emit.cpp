#include <algorithm>
#include <utility>

#include "expression/build.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"

namespace matgrad::detail {
namespace {

std::vector<Expr> forms_of(const PlanRequest& request) {
    std::vector<Expr> forms;
    for (const OutputRequest& o : request.outputs) {
        forms.push_back(o.form);
    }
    return forms;
}

Selection selection_of(const OutputRequest& output) {
    return output.entry ? Selection{output.entry->row, output.entry->col} : Selection{};
}

}  // namespace

Lowering::Lowering(const PlanRequest& request, const Sizes& sizes, const LoweringWay& way)
    : request_(request), sizes_(sizes), way_(way) {
    const std::vector<Expr> forms = forms_of(request);
    factored_ = find_factored(forms);
    program_.batch = request.batch;
    program_.type = request.type;
    program_.accuracy = request.accuracy;

    std::unordered_map<std::string, Expr> symbols;
    for (const Expr& e : topological_order(forms)) {
        if (e->op == Op::symbol) {
            symbols.try_emplace(e->name, e);
        }
    }
    for (const Operand& o : request.operands) {
        Value v;
        v.rows = {std::to_string(o.rows), o.rows};
        v.cols = {std::to_string(o.cols), o.cols};
        if (const auto* found = find_in(symbols, o.name)) {
            v.rows = sizes.extent(found->shape().rows);
            v.cols = sizes.extent(found->shape().cols);
            v.structure = (*found)->structure;
        }
        v.type = request.type;
        v.scope = o.batched ? Scope::problem : Scope::shared;
        v.operand = static_cast<int>(program_.operands.size());
        v.text = o.name;
        const auto id = static_cast<ValueId>(program_.values.size());
        operand_values_[o.name] = id;
        program_.operands.push_back({o.name, id, o.batched});
        program_.values.push_back(std::move(v));
    }
}

double Lowering::batch() const {
    return static_cast<double>(std::max<std::int64_t>(request_.batch, 1));
}

bool Lowering::is_shared(const Expr& e) {
    if (const auto* found = find_in(shared_, e)) {
        return *found;
    }
    const Expr roots[] = {e};
    for (const Expr& node : topological_order(roots)) {
        bool shared = true;
        if (node->op == Op::symbol) {
            const auto value = static_cast<std::size_t>(operand_values_.at(node->name));
            shared = program_.values[value].scope == Scope::shared;
        }
        for (const Expr& c : node->children) {
            shared = shared && shared_.at(c);
        }
        shared_.try_emplace(node, shared);
    }
    return shared_.at(e);
}

Extent Lowering::rows(const Expr& e, Selection s) const {
    return s.row >= 0 ? Extent{"1", 1} : sizes_.extent(e.shape().rows);
}

Extent Lowering::cols(const Expr& e, Selection s) const {
    return s.col >= 0 ? Extent{"1", 1} : sizes_.extent(e.shape().cols);
}

Use Lowering::emit(Operation operation, const Extent& rows, const Extent& cols,
                   const std::string& text, const std::string& why) {
    checked_bytes(text, rows.size, cols.size);
    Value v;
    v.rows = rows;
    v.cols = cols;
    v.type = request_.type;
    v.text = text;
    v.scope = Scope::shared;
    for_each_use(std::as_const(operation), [&](const Use& u) {
        if (program_.value(u.value).scope == Scope::problem) {
            v.scope = Scope::problem;
        }
    });
    Step step;
    step.scope = v.scope;
    step.operation = std::move(operation);
    step.out = static_cast<ValueId>(program_.values.size());
    step.why = why;
    program_.values.push_back(std::move(v));
    const ValueId out = step.out;
    program_.steps.push_back(std::move(step));
    return {out};
}

Use Lowering::map(const Extent& rows, const Extent& cols, const Writer& writer,
                  const std::string& text, const std::string& why) {
    Map step;
    BodyWriter body(step.body);
    body.finish(writer(body));
    const MapBody& b = step.body;
    if (b.code.size() == 1 && b.code[0].op == MapOp::load &&
        b.operands[0].broadcast == Broadcast::none) {
        return b.operands[0].use;
    }
    return emit(std::move(step), rows, cols, text, why);
}

Use Lowering::reduce(ReduceOp op, ReduceOver over, const Extent& rows, const Extent& cols,
                     const Writer& writer, const std::string& text, const std::string& why,
                     double scale) {
    Reduce step;
    step.op = op;
    step.over = over;
    step.rows = rows;
    step.cols = cols;
    step.scale = scale;
    BodyWriter body(step.body);
    body.finish(writer(body));
    const Extent one{"1", 1};
    const Extent out_rows = over == ReduceOver::rows ? rows : one;
    const Extent out_cols = over == ReduceOver::cols ? cols : one;
    return emit(std::move(step), out_rows, out_cols, text, why);
}

void Lowering::add_output(const OutputRequest& output) {
    Use use = lower(output.form, selection_of(output));
    if (!is_whole(use)) {
        use = emit(Copy{use}, rows(use), cols(use), text_of(output.form), "one component");
    }
    if (output.summed) {
        const bool flipped = use.transposed;
        use.transposed = false;
        use = emit(BatchReduce{use}, rows(use), cols(use), "sum of " + text_of(output.form),
                   "over the problems that succeed");
        program_.steps.back().scope = Scope::reduced;
        program_.values.back().scope = Scope::reduced;
        use.transposed = flipped;
    }
    program_.outputs.push_back(
        {output.kind, output.name, use.value, use.transposed, false, output.mean});
}

/// 1/(|Y|*|inv(Y)|) of the matrix that is nearest to singular, 0 where it is so.
void Lowering::add_rcond() {
    std::vector<Expr> matrices;
    for (const Expr& e : topological_order(forms_of(request_))) {
        const bool factors = e->op == Op::inverse || e->op == Op::det || e->op == Op::logdet ||
                             e->op == Op::log_det || e->op == Op::adjugate;
        if (factors && sizes_.size(e->children.front().shape().rows) > 0 &&
            !e->children.front().shape().is_scalar() &&
            std::find(matrices.begin(), matrices.end(), e->children.front()) == matrices.end()) {
            matrices.push_back(e->children.front());
        }
    }
    const Extent one{"1", 1};
    std::vector<std::pair<Use, Use>> norms;
    for (const Expr& y : matrices) {
        const std::string text = text_of(y);
        norms.emplace_back(largest_column_sum(lower(y), text),
                           largest_column_sum(inverse_of_factored(y), "inv(" + text + ")"));
    }
    const Use rcond = map(
        one, one,
        [&](BodyWriter& b) {
            int worst = b.constant(1);
            for (const auto& [norm, of_inverse] : norms) {
                const int condition =
                    b.binary(MapOp::mul, load(b, norm, one, one), load(b, of_inverse, one, one));
                worst = b.binary(MapOp::max, worst, condition);
            }
            const int r = b.power(-1, worst);
            // What is no number is the inverse of what has none.
            const int finite =
                b.binary(MapOp::sub, b.constant(1),
                         b.binary(MapOp::mask, b.constant(1), b.binary(MapOp::sub, r, r)));
            return b.binary(MapOp::mask, r, finite);
        },
        "rcond", "the least reciprocal condition number");
    program_.outputs.push_back({OutputKind::rcond, "", rcond.value, false, false, false});
}

void Lowering::lower_outputs() {
    for (const OutputRequest& o : request_.outputs) {
        if (way_.value_last && o.kind != OutputKind::value) {
            (void)lower(o.form, selection_of(o));
        }
    }
    for (const OutputRequest& o : request_.outputs) {
        add_output(o);
    }
    if (request_.rcond) {
        add_rcond();
    }
    for (OutputRequest o : request_.error ? request_.outputs : std::vector<OutputRequest>{}) {
        o.name = output_text(o.kind, o.name);
        o.kind = OutputKind::error;
        o.summed = o.mean = false;
        add_output(o);
    }
}

}  // namespace matgrad::detail
