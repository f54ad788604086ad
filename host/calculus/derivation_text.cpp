#include <algorithm>
#include <string_view>

#include "expression/guarded.hpp"
#include "expression/node.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

struct Row {
    std::string left;
    std::string right;
};

std::string blanks(std::size_t count) {
    return std::string(count, ' ');
}

std::string steps(const Derivation& derivation) {
    std::vector<Row> rows{{"f  = " + to_text(derivation.function), ""}};
    for (std::size_t i = 0; i < derivation.lines.size(); ++i) {
        const DerivationLine& line = derivation.lines[i];
        rows.push_back({(i == 0 ? "df = " : "   = ") + to_text(line.statement),
                        line.rule + "   [" + line.source + "]"});
    }
    constexpr std::size_t kWidest = 60;  // longer statements have their rule on the next line
    std::size_t width = 0;
    for (const Row& r : rows) {
        if (r.left.size() <= kWidest) {
            width = std::max(width, r.left.size());
        }
    }
    std::string text;
    for (const Row& r : rows) {
        text += r.left;
        if (!r.right.empty()) {
            const bool fits = r.left.size() <= width;
            text += fits ? blanks(width - r.left.size()) : "\n" + blanks(width);
            text += "   " + r.right;
        }
        text += '\n';
    }
    return text;
}

bool is_longer_than_a_line(const Gradient& gradient) {
    constexpr std::size_t kLine = 100;
    constexpr double kMostOperations = 1000;  // not written only to be counted
    return gradient.form->written_size > kMostOperations ||
           to_text(gradient.form).size() > kLine - std::string_view("gradient = ").size();
}

}  // namespace

NamedForms named_gradients(const Derivation& derivation, PartNames names,
                           std::span<const NamedPart> known) try {
    std::vector<Expr> forms;
    for (const Gradient& gradient : derivation.gradients) {
        forms.push_back(gradient.form);
    }
    const bool named = names == PartNames::always ||
                       (names == PartNames::automatic &&
                        std::any_of(derivation.gradients.begin(), derivation.gradients.end(),
                                    is_longer_than_a_line));
    if (!named) {
        return {{}, std::move(forms)};
    }
    return name_repeated_parts(forms, symbols(derivation.function), known);
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_text(const Derivation& derivation, bool with_steps, PartNames names,
                    std::span<const NamedPart> known) try {
    std::string text = with_steps ? steps(derivation) : "";
    const bool shown = with_steps && names == PartNames::automatic;
    const NamedForms named = named_gradients(derivation, shown ? PartNames::always : names, known);
    for (const NamedPart& part : named.parts) {
        text += to_text(part) + ";\n";
    }
    for (std::size_t i = 0; i < named.forms.size(); ++i) {
        const std::string of =
            named.forms.size() > 1 ? to_text(derivation.gradients[i].variable) + " " : "";
        text += "gradient " + of + "= " + to_text(named.forms[i]) + '\n';
    }
    return text;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
