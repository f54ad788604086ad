#include "program/shape_status.hpp"

#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad {

std::int32_t shape_status(const Program& program) {
    for (const Step& step : program.steps) {
        const auto* potrf = std::get_if<Potrf>(&step.operation);
        if (potrf == nullptr || !is_present(potrf->root)) {
            continue;
        }
        const std::int64_t rows = rows_of(program, potrf->root).size;
        if (rows < cols_of(program, potrf->root).size) {
            return make_status(StatusKind::singular, rows + 1);
        }
    }
    return 0;
}

}  // namespace matgrad
