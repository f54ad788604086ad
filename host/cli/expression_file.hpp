#pragma once
/// \file Expressions in files: `@model.mg`.

#include <string>

namespace matgrad {

/// Is `@...` the path of a file? A word alone is a name of the catalogue.
[[nodiscard]] bool names_expression_file(const std::string& argument);

/// The whole file. Error: FileError if it cannot be read, or is longer than an expression may be.
[[nodiscard]] std::string read_expression_file(const std::string& path);

}  // namespace matgrad
