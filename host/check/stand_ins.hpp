#pragma once
/// \file Values for symbols that a run had no operand for, since none of its results depends on them.

#include <span>
#include <vector>

#include "matgrad/expression.hpp"
#include "matgrad/types.hpp"
#include "reference/reference.hpp"

namespace matgrad::detail {

/// A value for each symbol that has no operand: of its structure, with entries between 0 and 1 and an
/// inverse if it is square, so that most functions are defined there. A size that no operand gives is 2.
///
/// Errors   ShapeError where operands disagree.
[[nodiscard]] MatrixMap stand_ins(std::span<const Declaration> symbols,
                                  std::span<const Operand> operands);

}  // namespace matgrad::detail
