#include <cmath>

#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {

void find_roots(Program& program) {
    if (program.accuracy != Accuracy::robust) {
        return;
    }
    const std::vector<int> producers = find_producers(program);
    for (Step& step : program.steps) {
        auto* potrf = std::get_if<Potrf>(&step.operation);
        const int at = potrf == nullptr || !is_whole(potrf->a)
                           ? -1
                           : producers[static_cast<std::size_t>(potrf->a.value)];
        if (at < 0) {
            continue;
        }
        const auto* gram =
            std::get_if<Syrk>(&program.steps[static_cast<std::size_t>(at)].operation);
        if (gram != nullptr && gram->alpha > 0) {
            potrf->root = transposed(gram->a);
            potrf->root_scale = std::sqrt(gram->alpha);
        }
    }
}

}  // namespace matgrad
