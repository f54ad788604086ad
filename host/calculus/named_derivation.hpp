#pragma once
/// \file A derivation with names for the parts that its gradients repeat.

#include <span>
#include <vector>

#include "matgrad/calculus.hpp"

namespace matgrad::detail {

struct NamedDerivation {
    std::vector<NamedPart> parts;
    std::vector<Expr> gradients;
    Expr function;                 ///< with the steps
    std::vector<Expr> statements;  ///< of the lines, with the steps
};

[[nodiscard]] NamedDerivation named_derivation(const Derivation& derivation, bool with_steps,
                                               PartNames names, std::span<const NamedPart> known);

}  // namespace matgrad::detail
