#include <fmt/format.h>

#include <cstdio>

#include "cli/command.hpp"
#include "cli/derivation_json.hpp"
#include "cli/question.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

/// `gradient = FORM`, or `gradient X = FORM` for each of several variables.
template <typename Print>
void print_gradients(const Derivation& derivation, Print&& form_text) {
    for (const Gradient& gradient : derivation.gradients) {
        if (derivation.gradients.size() == 1) {
            fmt::print("gradient = {}\n", form_text(gradient.form));
        } else {
            fmt::print("gradient {} = {}\n", to_text(gradient.variable), form_text(gradient.form));
        }
    }
}

void print_text(const Derivation& derivation, bool with_steps) {
    const std::string text = to_text(derivation, with_steps);
    fmt::print("{}{}", text, text.empty() || text.back() != '\n' ? "\n" : "");
}

// The steps carry rule and source as comments: what is printed can be pasted whole.
void print_numpy(const Derivation& derivation, bool with_steps) {
    if (with_steps) {
        for (const DerivationLine& line : derivation.lines) {
            fmt::print("# df = {}  {} ({})\n", to_text(line.statement), line.rule, line.source);
        }
    }
    // What is evaluated has all arrays of the function at hand.
    const std::vector<Declaration> arrays = symbols(derivation.function);
    print_gradients(derivation, [&arrays](const Expr& form) { return to_numpy(form, arrays); });
}

}  // namespace

int derive_command(const DeriveArguments& arguments) {
    const Question question = resolve_question(arguments.question, true);
    const bool with_lines = arguments.steps || arguments.format == DerivationFormat::json;
    const Derivation derivation = derive(question.f, question.wrt, arguments.question.convention,
                                         with_lines ? Lines::keep : Lines::omit);
    switch (arguments.format) {
        case DerivationFormat::text:
            print_text(derivation, arguments.steps);
            break;
        case DerivationFormat::latex:
            fmt::print("{}", to_latex(derivation, arguments.steps));
            break;
        case DerivationFormat::numpy:
            print_numpy(derivation, arguments.steps);
            break;
        case DerivationFormat::json:
            fmt::print("{}\n", to_json(question, derivation));
            break;
    }
    return kSuccess;
}

}  // namespace matgrad
