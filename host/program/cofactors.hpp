#pragma once
/// \file LU factors of which a map replaces pivots of 0, so that cofactors can be solved for.

#include <algorithm>

#include "program/uses.hpp"

namespace matgrad::detail {

/// What a library leaves behind a pivot of 0 matters then.
[[nodiscard]] inline bool feeds_cofactors(const Program& program, const Step& step) {
    const auto* getrf = std::get_if<Getrf>(&step.operation);
    if (getrf == nullptr || getrf->zero_pivot_fails || !getrf->fails) {
        return false;
    }
    return std::any_of(program.steps.begin(), program.steps.end(), [&step](const Step& other) {
        const auto* map = std::get_if<Map>(&other.operation);
        return map != nullptr &&
               std::any_of(map->body.operands.begin(), map->body.operands.end(),
                           [&step](const MapOperand& o) { return o.use.value == step.out; });
    });
}

}  // namespace matgrad::detail
