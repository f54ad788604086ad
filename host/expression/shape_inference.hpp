#pragma once
/// \file Shapes of a tree: which dimensions are one and the same.

#include <string_view>

#include "expression/names.hpp"

namespace matgrad::detail {

/// Unifies dimensions until every operation of the tree fits. What is 1x1, and so broadcasts, is
/// known at once for every node: an unknown dimension never becomes 1.
///
/// Errors   ShapeError with the sub-expression, both operands and both shapes.
void infer_shapes(const TextAst& ast, std::string_view text, const SymbolTable& symbols,
                  Dimensions& dimensions);

}  // namespace matgrad::detail
