#include <algorithm>
#include <utility>

#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {

void hoist_shared(Program& program) {
    for (Step& s : program.steps) {
        Scope scope = Scope::shared;
        for_each_use(std::as_const(s.operation),
                     [&](const Use& u) { scope = std::max(scope, program.value(u.value).scope); });
        if (std::holds_alternative<BatchReduce>(s.operation)) {
            scope = Scope::reduced;
        }
        s.scope = scope;
        program.value(s.out).scope = scope;
        if (s.out2 != kNoValue) {
            program.value(s.out2).scope = scope;
        }
    }
    const bool any_batched = std::any_of(program.operands.begin(), program.operands.end(),
                                         [](const ProgramOperand& o) { return o.batched; });
    for (ProgramOutput& o : program.outputs) {
        o.repeated = any_batched && program.value(o.value).scope == Scope::shared;
    }
    std::stable_sort(program.steps.begin(), program.steps.end(),
                     [](const Step& a, const Step& b) { return a.scope < b.scope; });
}

}  // namespace matgrad
