#include <algorithm>

#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

struct Row {
    std::string left;
    std::string right;
};

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string steps(const Derivation& derivation) {
    std::vector<Row> rows{{"f  = " + to_text(derivation.function), ""}};
    for (std::size_t i = 0; i < derivation.lines.size(); ++i) {
        const DerivationLine& line = derivation.lines[i];
        rows.push_back({(i == 0 ? "df = " : "   = ") + to_text(line.statement),
                        line.rule + "   [" + line.source + "]"});
    }
    constexpr std::size_t kWidest = 60;  // longer statements push their rule aside alone
    std::size_t width = 0;
    for (const Row& r : rows) {
        if (r.left.size() <= kWidest) {
            width = std::max(width, r.left.size());
        }
    }
    std::string text;
    for (const Row& r : rows) {
        text += r.right.empty() ? r.left : padded(r.left, width) + "   " + r.right;
        text += '\n';
    }
    return text;
}

}  // namespace

std::string to_text(const Derivation& derivation, bool with_steps) {
    std::string text = with_steps ? steps(derivation) : "";
    for (const Gradient& g : derivation.gradients) {
        const bool several = derivation.gradients.size() > 1;
        text += several ? "gradient " + to_text(g.variable) + " = " : "gradient = ";
        text += to_text(g.form) + '\n';
    }
    return text;
}

}  // namespace matgrad
