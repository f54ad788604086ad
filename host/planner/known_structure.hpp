#pragma once
/// \file Tells people what the planner knows of the structure of matrices.

#include <span>
#include <string>

#include "matgrad/expression.hpp"

namespace matgrad {

/// Lines: what is known of the matrices of the forms, declared or inferred. Nothing where nothing is.
[[nodiscard]] std::string known_structure(std::span<const Expr> forms);

}  // namespace matgrad
