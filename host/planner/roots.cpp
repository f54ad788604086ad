#include <cmath>
#include <optional>

#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

/// scale^2 root' root
struct Square {
    Use root;
    double scale = 1;
};

/// The number that a map multiplies one whole value by, or 0.
double factor_of(const Map& map) {
    const std::vector<MapInstruction>& code = map.body.code;
    const bool is_multiple = map.body.operands.size() == 1 && code.size() == 2 &&
                             code[0].op == MapOp::load && code[1].op == MapOp::scale &&
                             map.body.operands[0].broadcast == Broadcast::none &&
                             is_whole(map.body.operands[0].use);
    return is_multiple ? code[1].number : 0;
}

/// What the value is the square of: a syrk, or a positive multiple of one.
std::optional<Square> square_of(const Program& program, const std::vector<int>& producers,
                                const Use& use) {
    const int at = is_whole(use) ? producers[static_cast<std::size_t>(use.value)] : -1;
    if (at < 0) {
        return {};
    }
    const Operation& operation = program.steps[static_cast<std::size_t>(at)].operation;
    if (const auto* gram = std::get_if<Syrk>(&operation); gram != nullptr && gram->alpha > 0) {
        return Square{transposed(gram->a), std::sqrt(gram->alpha)};
    }
    const auto* map = std::get_if<Map>(&operation);
    const double factor = map == nullptr ? 0 : factor_of(*map);
    if (!(factor > 0)) {
        return {};
    }
    std::optional<Square> square = square_of(program, producers, map->body.operands[0].use);
    if (square) {
        square->scale *= std::sqrt(factor);
    }
    return square;
}

}  // namespace

void find_roots(Program& program) {
    if (program.accuracy != Accuracy::robust) {
        return;
    }
    const std::vector<int> producers = find_producers(program);
    for (Step& step : program.steps) {
        auto* potrf = std::get_if<Potrf>(&step.operation);
        if (potrf == nullptr) {
            continue;
        }
        if (const std::optional<Square> square = square_of(program, producers, potrf->a)) {
            potrf->root = square->root;
            potrf->root_scale = square->scale;
        }
    }
}

}  // namespace matgrad
