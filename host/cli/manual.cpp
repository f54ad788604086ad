#include "cli/manual.hpp"

#include <fmt/format.h>

#include <sstream>

#include "cli/commands.hpp"
#include "cli/help.hpp"

namespace matgrad {
namespace {

/// A line of text as troff prints it: nothing in it is a request or an escape.
std::string literal(std::string_view text) {
    std::string result;
    if (!text.empty() && (text.front() == '.' || text.front() == '\'')) {
        result = "\\&";
    }
    for (const char c : text) {
        switch (c) {
            case '\\':
                result += "\\e";
                break;
            case '-':
                result += "\\-";
                break;
            case '\'':
                result += "\\(aq";
                break;
            case '`':
                result += "\\(ga";
                break;
            case '^':
                result += "\\(ha";
                break;
            default:
                result += c;
        }
    }
    return result;
}

/// Lines that are printed as they are.
std::string example(std::string_view lines) {
    std::string text = ".PP\n.RS 4\n.nf\n";
    std::istringstream stream{std::string(lines)};
    for (std::string line; std::getline(stream, line);) {
        text += literal(line) + "\n";
    }
    return text + ".fi\n.RE\n";
}

std::string term(std::string_view name, std::string_view value, std::string_view text) {
    std::string head = fmt::format("\\fB{}\\fR", literal(name));
    if (!value.empty()) {
        head += fmt::format(" \\fI{}\\fR", literal(value));
    }
    return fmt::format(".TP\n{}\n{}\n", head, literal(text));
}

std::string section(const CommandRow& command) {
    std::string text = fmt::format(".SS matgrad {} {}\n{}\n", command.name,
                                   literal(command.arguments), literal(command.text));
    for (const OptionRow& option : command.options) {
        text += term(option.name, option.value, option.help);
    }
    if (!command.remarks.empty()) {
        text += fmt::format(".PP\n{}\n", literal(command.remarks));
    }
    return text + example(command.example);
}

}  // namespace

std::string manual_page(std::string_view version) {
    std::string text = fmt::format(
        ".TH MATGRAD 1 \"\" \"matgrad {}\" \"User Commands\"\n.SH NAME\n"
        "matgrad \\- closed\\-form gradients of matrix functions, in large batches\n.SH SYNOPSIS\n",
        version);
    for (const CommandRow& command : commands()) {
        text +=
            fmt::format("\\fBmatgrad {}\\fR {}\n.br\n", command.name, literal(command.arguments));
    }
    text += "\\fBmatgrad help\\fR [COMMAND | \\-\\-man]\n.br\n\\fBmatgrad \\-\\-version\\fR\n";
    text += ".SH COMMANDS\n";
    for (const CommandRow& command : commands()) {
        text += section(command);
    }
    text += ".SH EXPRESSIONS\n" + literal(expression_text()) + "\n";
    for (const FunctionLine& line : function_lines()) {
        text += fmt::format(".TP\n{}\n{}\n", literal(line.what), literal(line.calls));
    }
    text += ".SH EXIT STATUS\n";
    for (const ExitRow& row : exit_statuses()) {
        text += term(std::to_string(row.status), "", row.meaning);
    }
    text += ".SH ENVIRONMENT\n";
    text +=
        term("MATGRAD_CACHE", "",
             "the folder of kernels that were compiled for a GPU; empty: none is kept. Default: "
             "matgrad under XDG_CACHE_HOME, else under ~/.cache");
    text += term("MATGRAD_CUDA_MODULE", "",
                 "the file of the CUDA module, in place of the one beside the command");
    return text;
}

}  // namespace matgrad
