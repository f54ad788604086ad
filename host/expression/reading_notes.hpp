#pragma once
/// \file What is legal in a text, and probably meant otherwise.

#include <string>
#include <string_view>
#include <vector>

#include "expression/ast.hpp"

namespace matgrad::detail {

/// One line each: parts that are defined and not used; functions of each entry under a trace, where
/// papers mean those of a matrix.
[[nodiscard]] std::vector<std::string> reading_notes(const TextAst& ast, std::string_view text);

}  // namespace matgrad::detail
