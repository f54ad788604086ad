#include "program/aliasing.hpp"

#include "program/uses.hpp"

namespace matgrad {

std::vector<ValueId> overwritable_inputs(const Program& program, const Step& step,
                                         OperandsAre operands) {
    std::vector<Use> candidates;
    if (const auto* g = std::get_if<Gemm>(&step.operation)) {
        candidates = {g->c};
    } else if (const auto* p = std::get_if<Potrf>(&step.operation)) {
        candidates = {p->a};
    } else if (const auto* f = std::get_if<Getrf>(&step.operation)) {
        candidates = {f->a};
    } else if (const auto* t = std::get_if<Trsm>(&step.operation)) {
        candidates = {t->b};
    } else if (const auto* s = std::get_if<Solve>(&step.operation)) {
        candidates = {s->b};
    } else if (const auto* m = std::get_if<Map>(&step.operation)) {
        for (const MapOperand& o : m->body.operands) {
            if (o.broadcast == Broadcast::none) {
                candidates.push_back(o.use);
            }
        }
    }
    const Value& out = program.value(step.out);
    std::vector<ValueId> result;
    for (const Use& u : candidates) {
        if (!is_present(u) || u.transposed || !is_whole(u)) {
            continue;
        }
        const Value& v = program.value(u.value);
        int reads = 0;
        for_each_use(step.operation, [&](const Use& w) { reads += w.value == u.value; });
        if (reads == 1 && (v.operand < 0 || operands == OperandsAre::copies) &&
            v.type == out.type && v.rows.size == out.rows.size && v.cols.size == out.cols.size &&
            v.scope == out.scope) {
            result.push_back(u.value);
        }
    }
    return result;
}

}  // namespace matgrad
