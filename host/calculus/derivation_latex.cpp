#include "calculus/named_derivation.hpp"
#include "expression/guarded.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

/// A rule or source as it stands, in text mode.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '&' || c == '_' || c == '%' || c == '#' || c == '$') {
            result += '\\';
        }
        result += c;
        if (c == '^') {
            result.insert(result.size() - 1, "\\");
            result += "{}";
        }
    }
    return result;
}

/// `\nabla_{X} f`, and what it is on the other side of `equals`.
std::string gradient_line(const Gradient& gradient, const Expr& form, const char* equals) {
    return "\\nabla_{" + to_latex(gradient.variable) + "} f " + equals + " " + to_latex(form);
}

/// The lines of an aligned environment.
std::vector<std::string> aligned_lines(const Derivation& derivation,
                                       const detail::NamedDerivation& named, bool with_steps) {
    std::vector<std::string> lines;
    for (const NamedPart& part : named.parts) {
        lines.push_back(to_latex(part.name) + " &= " + to_latex(part.value));
    }
    if (with_steps) {
        lines.push_back("f &= " + to_latex(named.function));
        const char* left = "\\mathrm{d}f &= ";
        for (std::size_t i = 0; i < derivation.lines.size(); ++i) {
            const DerivationLine& line = derivation.lines[i];
            lines.push_back(left + to_latex(named.statements[i]) + " && \\text{" +
                            escaped(line.rule + " [" + line.source + "]") + "}");
            left = "&= ";
        }
    }
    for (std::size_t i = 0; i < named.gradients.size(); ++i) {
        lines.push_back(gradient_line(derivation.gradients[i], named.gradients[i], "&="));
    }
    return lines;
}

}  // namespace

std::string to_latex(const Derivation& derivation, bool with_steps, PartNames names,
                     std::span<const NamedPart> known) try {
    const detail::NamedDerivation named = detail::named_derivation(
        derivation, with_steps, names == PartNames::automatic ? PartNames::always : names, known);
    if (!with_steps && named.gradients.size() == 1 && named.parts.size() < 2) {
        const std::string where =
            named.parts.empty() ? "" : ", \\quad \\text{where } " + to_latex(named.parts.front());
        return gradient_line(derivation.gradients.front(), named.gradients.front(), "=") + where +
               '\n';
    }
    std::string text = "\\begin{aligned}\n";
    const std::vector<std::string> lines = aligned_lines(derivation, named, with_steps);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += lines[i] + (i + 1 < lines.size() ? " \\\\\n" : "\n");
    }
    return text + "\\end{aligned}\n";
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
