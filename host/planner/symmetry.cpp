#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {

void trim_symmetric(Program& program) {
    std::vector<bool> needs_both(program.values.size(), false);
    for (const ProgramOutput& o : program.outputs) {
        needs_both[static_cast<std::size_t>(o.value)] = true;
    }
    for (const Step& s : program.steps) {
        if (std::holds_alternative<Potrf>(s.operation)) {
            continue;
        }
        for_each_use(s.operation,
                     [&](const Use& u) { needs_both[static_cast<std::size_t>(u.value)] = true; });
    }
    for (Step& s : program.steps) {
        if (auto* syrk = std::get_if<Syrk>(&s.operation)) {
            const auto out = static_cast<std::size_t>(s.out);
            syrk->mirror = needs_both[out];
            program.values[out].structure = syrk->mirror ? Structure::symmetric : Structure::lower;
        }
    }
}

}  // namespace matgrad
