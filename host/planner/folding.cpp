#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

/// Says what is shared, where nothing more important is said of the step.
void tell_shared_factor(const Program& program, Step& step) {
    const auto* g = std::get_if<Gemm>(&step.operation);
    if (g == nullptr || step.scope != Scope::problem || !step.why.empty()) {
        return;
    }
    const auto is_shared = [&](const Use& u) {
        return program.value(u.value).scope == Scope::shared;
    };
    if (is_shared(g->a) != is_shared(g->b)) {
        step.why = is_shared(g->a) ? "the first factor is shared by the batch"
                                   : "the second factor is shared by the batch";
    }
}

bool is_product(const Operation& operation) {
    const auto* g = std::get_if<Gemm>(&operation);
    return std::holds_alternative<Syrk>(operation) || (g != nullptr && !is_present(g->c));
}

}  // namespace

void fold_batch(Program& program) {
    const std::vector<int> uses = count_uses(program);
    const std::vector<int> producers = find_producers(program);
    for (Step& s : program.steps) {
        tell_shared_factor(program, s);
    }
    for (const Step& s : program.steps) {
        const auto* sum = std::get_if<BatchReduce>(&s.operation);
        if (sum == nullptr || uses[static_cast<std::size_t>(sum->a.value)] != 1 ||
            !is_whole(sum->a)) {
            continue;
        }
        const int at = producers[static_cast<std::size_t>(sum->a.value)];
        if (at < 0) {
            continue;
        }
        Step& step = program.steps[static_cast<std::size_t>(at)];
        if (step.scope == Scope::problem && is_product(step.operation)) {
            step.fold = Fold::inner;
            step.why = "only its sum over the batch is used";
        }
    }
}

}  // namespace matgrad
