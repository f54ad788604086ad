#pragma once
/// \file Numbers among the operands of a command line, `t=0.5`.

#include <optional>
#include <string>

#include "matgrad/plan.hpp"

namespace matgrad {

/// The number that a word is: decimal, with an optional sign and exponent, or inf, nan. Nothing if it is
/// something else, as the name of a file is.
///
/// Errors   OperandError where it can only be meant as a number but is none, or none of double's:
///          `1e999`, `1e-400`, `0x5`, `+-5`, ` 5`, `1,5`. Where there is a file of that name, it is the file.
[[nodiscard]] std::optional<double> number_of_word(const std::string& operand,
                                                   const std::string& word);

/// Throws OperandError where a number is beyond the type it is converted to.
void check_number_fits(const std::string& operand, double number, ScalarType type);

}  // namespace matgrad
