#pragma once
/// \file From words to a function: the expression, its declarations and its variables.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "matgrad/expression.hpp"

namespace matgrad {

struct Question {
    std::string given;  ///< the expression as it was written, `@name` or `@file` resolved
    std::string text;   ///< the same for messages: one line
    Expr f;
    std::vector<NamedPart> parts;      ///< that the expression names
    std::vector<Declaration> symbols;  ///< of f, in order of first appearance
    std::vector<std::string> wrt;      ///< each a symbol of f, none twice
};

/// Reads expression and declarations; what was probably not meant is said on stderr. A catalogue name
/// brings its own declarations, which --declare overrides name by name, and its usual variable, which
/// --wrt replaces. `@` before anything else is the path of a file that holds the expression.
///
/// Errors   those of `parse` and `parse_declaration`; ShapeError if f is not 1x1; NameError for an
///          unknown @name and for a variable that is not in f; CallerError if `needs_wrt` and there
///          is none; FileError for a file that cannot be read.
[[nodiscard]] Question resolve_question(const QuestionArguments& arguments, bool needs_wrt);

/// The names of their dimensions, in order of first appearance.
[[nodiscard]] std::vector<std::string> dimension_names(const std::vector<Declaration>& symbols);

/// Errors: NameError for a size of --dims whose name is none of these.
void check_dims_known(const std::map<std::string, std::int64_t>& given,
                      const std::vector<std::string>& names);

}  // namespace matgrad
