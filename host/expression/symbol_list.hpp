#pragma once
/// \file The symbols of an expression, put together from those of its parts.

#include "expression/node.hpp"

namespace matgrad::detail {

/// Errors   ShapeError or NameError if two symbols of one name differ in shape or structure.
/// Cost     a comparison of pointers for each child over the same symbols as those before it.
[[nodiscard]] SymbolList symbols_of(const Node& node);

/// Errors   NameError if one symbol has the name of the differential of another.
void require_no_differentials(const SymbolList& symbols);

}  // namespace matgrad::detail
