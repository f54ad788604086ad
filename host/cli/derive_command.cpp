#include <fmt/format.h>

#include <cstdio>

#include "cli/command.hpp"
#include "cli/derivation_json.hpp"
#include "cli/question.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

void print_text(const Derivation& derivation, const DeriveArguments& arguments,
                std::span<const NamedPart> known) {
    const std::string text = to_text(derivation, arguments.steps, arguments.names, known);
    fmt::print("{}{}", text, text.empty() || text.back() != '\n' ? "\n" : "");
}

// The steps carry rule and source as comments: what is printed can be pasted whole.
void print_numpy(const Derivation& derivation, const DeriveArguments& arguments,
                 std::span<const NamedPart> known) {
    if (arguments.steps) {
        for (const DerivationLine& line : derivation.lines) {
            fmt::print("# df = {}  {} ({})\n", to_text(line.statement), line.rule, line.source);
        }
    }
    // What is evaluated has all arrays of the function at hand.
    const std::vector<Declaration> arrays = symbols(derivation.function);
    const NamedForms named = named_gradients(derivation, arguments.names, known);
    for (const NamedPart& part : named.parts) {
        fmt::print("{}\n", to_numpy(part, arrays));
    }
    for (std::size_t i = 0; i < named.forms.size(); ++i) {
        const std::string of =
            named.forms.size() > 1 ? to_text(derivation.gradients[i].variable) + " " : "";
        fmt::print("gradient {}= {}\n", of, to_numpy(named.forms[i], arrays));
    }
}

}  // namespace

int derive_command(const DeriveArguments& arguments) {
    const Question question = resolve_question(arguments.question, true);
    const bool with_lines = arguments.steps || arguments.format == DerivationFormat::json;
    const Derivation derivation = derive(question.f, question.wrt, arguments.question.convention,
                                         with_lines ? Lines::keep : Lines::omit);
    switch (arguments.format) {
        case DerivationFormat::text:
            print_text(derivation, arguments, question.parts);
            break;
        case DerivationFormat::latex:
            fmt::print("{}",
                       to_latex(derivation, arguments.steps, arguments.names, question.parts));
            break;
        case DerivationFormat::numpy:
            print_numpy(derivation, arguments, question.parts);
            break;
        case DerivationFormat::json:
            fmt::print("{}\n", to_json(question, derivation, arguments.names));
            break;
    }
    return kSuccess;
}

}  // namespace matgrad
