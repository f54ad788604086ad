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
std::string gradient_line(const Derivation& derivation, const Gradient& g, const char* equals) {
    const NamedParts named = name_repeated_parts(g.form, symbols(derivation.function));
    std::string text =
        "\\nabla_{" + to_latex(g.variable) + "} f " + equals + " " + to_latex(named.rest);
    const char* joint = ", \\quad \\text{where } ";
    for (const NamedPart& part : named.parts) {
        text += joint + to_latex(part.name) + " = " + to_latex(part.value);
        joint = ", \\; ";
    }
    return text;
}

/// The lines of an aligned environment.
std::vector<std::string> aligned_lines(const Derivation& derivation, bool with_steps) {
    std::vector<std::string> lines;
    if (with_steps) {
        lines.push_back("f &= " + to_latex(derivation.function));
        const char* left = "\\mathrm{d}f &= ";
        for (const DerivationLine& line : derivation.lines) {
            lines.push_back(left + to_latex(line.statement) + " && \\text{" +
                            escaped(line.rule + " [" + line.source + "]") + "}");
            left = "&= ";
        }
    }
    for (const Gradient& g : derivation.gradients) {
        lines.push_back(gradient_line(derivation, g, "&="));
    }
    return lines;
}

}  // namespace

std::string to_latex(const Derivation& derivation, bool with_steps) try {
    if (!with_steps && derivation.gradients.size() == 1) {
        return gradient_line(derivation, derivation.gradients.front(), "=") + '\n';
    }
    std::string text = "\\begin{aligned}\n";
    const std::vector<std::string> lines = aligned_lines(derivation, with_steps);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += lines[i] + (i + 1 < lines.size() ? " \\\\\n" : "\n");
    }
    return text + "\\end{aligned}\n";
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
