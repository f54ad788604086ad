#include <algorithm>

#include "expression/guarded.hpp"
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

/// `= 2*X*Y, where Y = inv(X'*X)`; nothing if no part is worth a name.
std::string with_parts_named(const Derivation& derivation, const Expr& form) {
    const NamedParts named = name_repeated_parts(form, symbols(derivation.function));
    if (named.parts.empty()) {
        return {};
    }
    std::string text = "= " + to_text(named.rest);
    const char* joint = ", where ";
    for (const NamedPart& part : named.parts) {
        text += joint + to_text(part.name) + " = " + to_text(part.value);
        joint = ", ";
    }
    return text;
}

}  // namespace

std::string to_text(const Derivation& derivation, bool with_steps) try {
    std::string text = with_steps ? steps(derivation) : "";
    for (const Gradient& g : derivation.gradients) {
        const bool several = derivation.gradients.size() > 1;
        const std::string left = several ? "gradient " + to_text(g.variable) + " " : "gradient ";
        text += left + "= " + to_text(g.form) + '\n';
        const std::string named = with_steps ? with_parts_named(derivation, g.form) : "";
        if (!named.empty()) {
            text += std::string(left.size(), ' ') + named + '\n';
        }
    }
    return text;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
