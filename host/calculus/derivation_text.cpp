#include <algorithm>

#include "calculus/named_derivation.hpp"
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

std::string steps(const Derivation& derivation, const detail::NamedDerivation& named) {
    std::vector<Row> rows{{"f  = " + to_text(named.function), ""}};
    for (std::size_t i = 0; i < derivation.lines.size(); ++i) {
        const DerivationLine& line = derivation.lines[i];
        rows.push_back({(i == 0 ? "df = " : "   = ") + to_text(named.statements[i]),
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

}  // namespace

std::string to_text(const Derivation& derivation, bool with_steps, PartNames names,
                    std::span<const NamedPart> known) try {
    const bool shown = with_steps && names == PartNames::automatic;
    const detail::NamedDerivation named =
        detail::named_derivation(derivation, with_steps, shown ? PartNames::always : names, known);
    std::string text;
    for (const NamedPart& part : named.parts) {
        text += to_text(part) + ";\n";
    }
    text += with_steps ? steps(derivation, named) : "";
    for (std::size_t i = 0; i < named.gradients.size(); ++i) {
        const std::string of =
            named.gradients.size() > 1 ? to_text(derivation.gradients[i].variable) + " " : "";
        text += "gradient " + of + "= " + to_text(named.gradients[i]) + '\n';
    }
    return text;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
