#pragma once
/// \file The commands and their options: one row each.
///
/// `--help`, the manual page, the completion of a shell and the parser all read these rows; an option that is
/// parsed and has no row, or the other way round, is an error of every run of its command.

#include <span>
#include <string>
#include <string_view>

namespace matgrad {

struct OptionRow {
    std::string_view name;   ///< `--wrt`
    std::string_view value;  ///< what stands for the value in texts; empty: there is none
    std::string_view help;
    std::string_view words{};  ///< what a shell offers as its value, a space between
    bool is_file = false;      ///< the value is a path
};

struct CommandRow {
    std::string_view name;
    std::string_view arguments;  ///< behind the name, in full
    std::string_view summary;    ///< one line for the overview
    std::string_view text;       ///< paragraphs, an empty line between
    std::span<const OptionRow> options;
    std::string_view remarks;  ///< a paragraph behind the options
    std::string_view example;  ///< lines of a shell
    std::string_view
        words{};  ///< what a shell offers as the first argument: `@` names of the catalogue
};

[[nodiscard]] std::span<const CommandRow> commands();

/// The row of that name, or nullptr.
[[nodiscard]] const CommandRow* find_command(std::string_view name);

/// `derive, eval, ... or completion`.
[[nodiscard]] std::string command_names();

}  // namespace matgrad
