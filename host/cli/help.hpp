#pragma once
/// \file What `--help` prints, from the rows of commands.hpp and the functions of the language.

#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace matgrad {

/// Functions of one kind: `det(A) logdet(A) tr(A)` and what they are of.
struct FunctionLine {
    std::string calls;
    std::string what;
};

/// Every function of the language, one line for each kind.
[[nodiscard]] std::vector<FunctionLine> function_lines();

/// How an expression is written, in a few sentences.
[[nodiscard]] std::string_view expression_text();

struct ExitRow {
    int status;
    std::string_view meaning;
};

[[nodiscard]] std::span<const ExitRow> exit_statuses();

/// Of all commands.
[[nodiscard]] std::string overview();

/// Of one command.
[[nodiscard]] std::string help_text(const CommandRow& command);

}  // namespace matgrad
