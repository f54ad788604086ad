#include "cli/question.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <sstream>

#include "cli/expression_file.hpp"
#include "cli/printable.hpp"
#include "expression/ast.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad {
namespace {

bool has_name(const std::vector<Declaration>& declarations, const std::string& name) {
    return std::any_of(declarations.begin(), declarations.end(),
                       [&](const Declaration& d) { return d.name == name; });
}

std::string joined_names(const std::vector<Declaration>& symbols) {
    std::string names;
    for (const Declaration& symbol : symbols) {
        names += (names.empty() ? "" : ", ") + symbol.name;
    }
    return names.empty() ? "no symbols" : names;
}

/// Is the name a word of the text?
bool is_written(const std::string& text, const std::string& name) {
    const auto in_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        const bool begins = at == 0 || !in_name(text[at - 1]);
        if (begins && (end == text.size() || !in_name(text[end]))) {
            return true;
        }
    }
    return false;
}

/// Why the function does not depend on the name: it is not there, or it cancels.
std::string why_absent(const Question& question, const std::string& name) {
    const std::string left =
        question.symbols.empty() ? "has no symbols" : "has only " + joined_names(question.symbols);
    if (is_written(question.text, name)) {
        return fmt::format("{} cancels in {}, which then {}", name, question.text, left);
    }
    return fmt::format("{} {}", question.text, left);
}

const CatalogueEntry& named_function(const std::string& word) {
    const std::string name = word.substr(1);
    const CatalogueEntry* entry = find_in_catalogue(name);
    if (entry == nullptr) {
        throw NameError(
            fmt::format("unknown function @{}: expected a name of `matgrad list`", name));
    }
    return *entry;
}

std::vector<Declaration> own_declarations(const std::vector<std::string>& texts) {
    std::vector<Declaration> result;
    for (const std::string& text : texts) {
        Declaration declaration = parse_declaration(text);
        if (has_name(result, declaration.name)) {
            throw NameError(
                fmt::format("--declare {}: {} is declared twice", text, declaration.name));
        }
        result.push_back(std::move(declaration));
    }
    return result;
}

/// The expression in messages, which are lines.
std::string on_one_line(const std::string& text) {
    const std::size_t end = text.find_last_not_of(" \t\r\n") + 1;  // npos + 1 is 0
    return text.find('\n') == std::string::npos ? text : detail::quote(text, 0, end);
}

bool is_part(const Question& question, const std::string& name) {
    return std::any_of(question.parts.begin(), question.parts.end(),
                       [&](const NamedPart& part) { return to_text(part.name) == name; });
}

void check_variables(const Question& question) {
    for (std::size_t i = 0; i < question.wrt.size(); ++i) {
        const std::string& name = question.wrt[i];
        const auto end = question.wrt.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(question.wrt.begin(), end, name) != end) {
            throw NameError(fmt::format("--wrt {} is given twice", name));
        }
        if (is_part(question, name)) {
            throw NameError(fmt::format(
                "--wrt {}: {} names a part of the expression, which has the variables {}", name,
                name, joined_names(question.symbols)));
        }
        if (!has_name(question.symbols, name)) {
            throw NameError(is_written(question.text, name)
                                ? fmt::format("--wrt {}: {}", name, why_absent(question, name))
                                : fmt::format("--wrt {}: the variable is not in {}, which has {}",
                                              name, question.text, joined_names(question.symbols)));
        }
    }
}

}  // namespace

Question resolve_question(const QuestionArguments& arguments, bool needs_wrt) {
    Question question;
    question.given = arguments.expression;
    question.wrt = arguments.wrt;
    const std::vector<Declaration> own = own_declarations(arguments.declare);
    std::vector<Declaration> declarations = own;
    if (names_expression_file(question.given)) {
        question.given = read_expression_file(question.given.substr(1));
    } else if (question.given.starts_with('@')) {
        const CatalogueEntry& entry = named_function(question.given);
        question.given = entry.text;
        if (question.wrt.empty()) {
            question.wrt.emplace_back(entry.wrt);
        }
        std::istringstream words{std::string(entry.declarations)};
        for (std::string word; words >> word;) {
            Declaration declaration = parse_declaration(word);
            if (!has_name(own, declaration.name)) {
                declarations.push_back(std::move(declaration));
            }
        }
    }

    question.text = on_one_line(question.given);
    Reading reading = read_text(question.given, declarations);
    for (const std::string& note : reading.notes) {
        fmt::print(stderr, "matgrad: note: {}\n", printable(note));
    }
    question.f = reading.expression;
    question.parts = std::move(reading.parts);
    question.symbols = symbols(question.f);
    if (!question.f.shape().is_scalar()) {
        const bool has_undeclared_vector =
            std::any_of(question.symbols.begin(), question.symbols.end(), [&](const auto& symbol) {
                return symbol.shape.is_column() && !has_name(declarations, symbol.name);
            });
        throw ShapeError(fmt::format(
            "{} is {}: expected a scalar function{}", question.text, question.f.shape().text(),
            has_undeclared_vector
                ? " (a lower case name is a vector; --declare t=1 makes t a scalar)"
                : ""));
    }
    for (const Declaration& declaration : own) {
        // Most likely a slip of the pen: the name meant stays undeclared.
        if (!has_name(question.symbols, declaration.name)) {
            throw NameError(fmt::format("--declare {}: {}", to_text(declaration),
                                        why_absent(question, declaration.name)));
        }
    }
    if (needs_wrt && question.wrt.empty()) {
        throw CallerError(fmt::format("--wrt is missing: expected a variable of {}, which has {}",
                                      question.text, joined_names(question.symbols)));
    }
    check_variables(question);
    return question;
}

std::vector<std::string> dimension_names(const std::vector<Declaration>& symbols) {
    std::vector<std::string> names;
    for (const Declaration& symbol : symbols) {
        for (const Dim& dim : {symbol.shape.rows, symbol.shape.cols}) {
            if (!dim.name.empty() && std::count(names.begin(), names.end(), dim.name) == 0) {
                names.push_back(dim.name);
            }
        }
    }
    return names;
}

void check_dims_known(const std::map<std::string, std::int64_t>& given,
                      const std::vector<std::string>& names) {
    for (const auto& [name, size] : given) {
        if (std::count(names.begin(), names.end(), name) == 0) {
            throw NameError(fmt::format("--dims: no dimension is named {}, expected one of {}",
                                        name, fmt::join(names, ", ")));
        }
    }
}

}  // namespace matgrad
