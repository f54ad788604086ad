#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/command.hpp"
#include "expression/functions.hpp"

namespace matgrad {
namespace {

using detail::Function;
using detail::FunctionKind;

constexpr std::size_t kWidth = 100;
constexpr std::size_t kColumn = 24;  ///< where the texts of options begin
constexpr std::size_t kFunctionColumn = 32;

/// Words in lines of at most kWidth, all but the first indented; without a last newline.
std::string wrapped(std::string_view text, std::size_t indent) {
    std::istringstream words{std::string(text)};
    std::string result;
    std::size_t column = indent;
    for (std::string word; words >> word;) {
        const bool is_first = column == indent;
        if (!is_first && column + 1 + word.size() > kWidth) {
            result += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (!is_first) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result;
}

/// A name and its text beside it, or below where the name is long.
std::string entry(const std::string& name, std::string_view text, std::size_t column) {
    const std::string gap = name.size() + 4 <= column ? std::string(column - name.size() - 2, ' ')
                                                      : "\n" + std::string(column, ' ');
    return "  " + name + gap + wrapped(text, column) + "\n";
}

const char* text_of(FunctionKind kind) {
    switch (kind) {
        case FunctionKind::inverse:
            return "inverse of a square matrix";
        case FunctionKind::factor:
            return "lower factor of symmetric A";
        case FunctionKind::scalar_of_square:
            return "number, of a square matrix";
        case FunctionKind::scalar_of_any:
            return "number, of all entries";
        case FunctionKind::scalar_of_pair:
            return "number, of two of one shape";
        case FunctionKind::left_divide:
            return "inv(A)*B, of a square A";
        case FunctionKind::same_shape:
            return "matrix of the same shape";
        case FunctionKind::same_vector:
            return "column or row, of one";
        case FunctionKind::row_sums:
            return "column, of each row";
        case FunctionKind::col_sums:
            return "row, of each column";
        case FunctionKind::diagonal:
            return "diagonal, or matrix of one";
        case FunctionKind::entrywise:
            return "each entry, pairs of entries";
        case FunctionKind::constant:
            return "of dimensions";
    }
    return "";
}

std::string call_of(const Function& function) {
    const bool is_constant = function.kind == FunctionKind::constant;
    const std::string_view names = is_constant ? "m,n" : "A,B,C";
    const std::string_view arguments =
        is_constant && function.arity == 1 ? "n" : names.substr(0, 2 * function.arity - 1);
    return fmt::format("{}({})", function.name, arguments);
}

}  // namespace

std::vector<FunctionLine> function_lines() {
    std::vector<FunctionLine> lines;
    for (const Function& function : detail::functions()) {
        const std::string what = text_of(function.kind);
        auto line = std::find_if(lines.begin(), lines.end(),
                                 [&](const FunctionLine& l) { return l.what == what; });
        if (line == lines.end()) {
            line = lines.insert(lines.end(), {"", what});
        }
        const std::string call = call_of(function);
        if (line->calls != call) {  // diag has a row for each of its two meanings
            line->calls += (line->calls.empty() ? "" : " ") + call;
        }
    }
    return lines;
}

std::string_view expression_text() {
    return "EXPR is written as on paper: A*B product, A' transpose, A^2 power, A.*B and A.^2 entry "
           "by "
           "entry, A + B sum. Capitals are matrices, lower case letters are column vectors; "
           "--declare "
           "says otherwise.";
}

std::span<const ExitRow> exit_statuses() {
    static constexpr ExitRow kRows[] = {
        {kSuccess, "success"},
        {kSomeFailed,
         "some problems failed, a check exceeded its bound, or there is no such kernel"},
        {kWrongCall, "the call was wrong"},
        {kMachineFailed, "the machine failed"},
        {kInterrupted, "interrupted"},
        {kReaderGone, "the reader of its output has left"},
    };
    return kRows;
}

std::string overview() {
    std::string text = "matgrad - closed-form gradients of matrix functions, in large batches\n\n";
    const auto line = [&](std::string_view call, std::string_view what) {
        text += fmt::format("  matgrad {:<24} {}\n", call, what);
    };
    for (const CommandRow& row : commands()) {
        const bool takes_expression = row.arguments.substr(0, 4) == "EXPR";
        line(fmt::format("{}{}", row.name, takes_expression ? " EXPR --wrt X" : ""), row.summary);
    }
    line("COMMAND --help", "the options of a command");
    line("help --man", "all of it as a manual page");
    line("--version", "");
    text.erase(text.find_last_not_of(" \n") + 1);
    text += "\n\n" + wrapped(expression_text(), 0) + "\n\nFunctions\n";
    for (const FunctionLine& functions : function_lines()) {
        text += entry(functions.what, functions.calls, kFunctionColumn);
    }
    text += "\nExample\n  matgrad derive \"logdet(X'*X)\" --wrt X --steps\n\n";
    std::string statuses = "Exit status:";
    for (const ExitRow& row : exit_statuses()) {
        statuses += fmt::format("{} {} {}", row.status == 0 ? "" : ";", row.status, row.meaning);
    }
    text += wrapped(statuses + ".", 0) + "\n";
    return text;
}

std::string help_text(const CommandRow& command) {
    std::string text = fmt::format("matgrad {}{}{}\n\n", command.name,
                                   command.arguments.empty() ? "" : " ", command.arguments);
    text += wrapped(command.text, 0) + "\n\n";
    for (const OptionRow& option : command.options) {
        text +=
            entry(fmt::format("{}{}{}", option.name, option.value.empty() ? "" : " ", option.value),
                  option.help, kColumn);
    }
    text += command.options.empty() ? "" : "\n";
    if (!command.remarks.empty()) {
        text += wrapped(command.remarks, 0) + "\n\n";
    }
    text += "Example\n";
    std::istringstream lines{std::string(command.example)};
    for (std::string line; std::getline(lines, line);) {
        text += "  " + line + "\n";
    }
    return text;
}

}  // namespace matgrad
