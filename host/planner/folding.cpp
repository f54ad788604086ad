#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

/// Per-problem rows that lie one under the other: X*S for all problems is one tall gemm.
bool rows_stack(const Program& program, const Gemm& g) {
    const auto scope = [&](const Use& u) { return program.value(u.value).scope; };
    if (scope(g.a) != Scope::problem || scope(g.b) != Scope::shared || g.a.transposed ||
        !is_whole(g.a)) {
        return false;
    }
    return !is_present(g.c) || (scope(g.c) == Scope::problem && !g.c.transposed && is_whole(g.c));
}

}  // namespace

void fold_batch(Program& program) {
    const std::vector<int> uses = count_uses(program);
    const std::vector<int> producers = find_producers(program);
    for (Step& s : program.steps) {
        const auto* g = std::get_if<Gemm>(&s.operation);
        if (g != nullptr && s.scope == Scope::problem && rows_stack(program, *g)) {
            s.fold = Fold::rows;
            if (s.why.empty()) {
                s.why = "the second factor is shared: one tall gemm over the rows of the batch";
            }
        }
    }
    for (const Step& s : program.steps) {
        const auto* sum = std::get_if<BatchReduce>(&s.operation);
        if (sum == nullptr || uses[static_cast<std::size_t>(sum->a.value)] != 1) {
            continue;
        }
        const int at = producers[static_cast<std::size_t>(sum->a.value)];
        if (at < 0) {
            continue;
        }
        Step& step = program.steps[static_cast<std::size_t>(at)];
        const auto* g = std::get_if<Gemm>(&step.operation);
        if (g != nullptr && step.scope == Scope::problem && !is_present(g->c)) {
            step.fold = Fold::inner;
            step.why =
                "only its sum over the batch is used: one gemm whose inner dimension runs "
                "over the batch";
        }
    }
}

}  // namespace matgrad
