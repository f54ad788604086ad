#include "calculus/named_derivation.hpp"

#include <algorithm>
#include <string_view>

#include "expression/guarded.hpp"
#include "expression/name_parts.hpp"
#include "expression/node.hpp"

namespace matgrad {
namespace {

bool is_longer_than_a_line(const Gradient& gradient) {
    constexpr std::size_t kLine = 100;
    constexpr double kMostOperations = 1000;  // not written only to be counted
    return gradient.form->written_size > kMostOperations ||
           to_text(gradient.form).size() > kLine - std::string_view("gradient = ").size();
}

bool has_names(const Derivation& derivation, PartNames names) {
    return names == PartNames::always ||
           (names == PartNames::automatic &&
            std::any_of(derivation.gradients.begin(), derivation.gradients.end(),
                        is_longer_than_a_line));
}

std::vector<Expr> forms_of(const Derivation& derivation) {
    std::vector<Expr> forms;
    for (const Gradient& gradient : derivation.gradients) {
        forms.push_back(gradient.form);
    }
    return forms;
}

}  // namespace

NamedForms named_gradients(const Derivation& derivation, PartNames names,
                           std::span<const NamedPart> known) try {
    std::vector<Expr> forms = forms_of(derivation);
    if (!has_names(derivation, names)) {
        return {{}, std::move(forms)};
    }
    return name_repeated_parts(forms, symbols(derivation.function), known);
} catch (...) {
    detail::throw_as_matgrad();
}

detail::NamedDerivation detail::named_derivation(const Derivation& derivation, bool with_steps,
                                                 PartNames names,
                                                 std::span<const NamedPart> known) {
    NamedDerivation result;
    std::vector<Expr> lines{derivation.function};
    for (const DerivationLine& line : derivation.lines) {
        lines.push_back(line.statement);
    }
    const std::vector<Expr> forms = forms_of(derivation);
    if (with_steps && has_names(derivation, names)) {
        NamedForms named =
            named_parts(forms, lines, symbols(derivation.function), known, NamesFor::readers);
        const auto end_of_forms = named.forms.begin() + static_cast<std::ptrdiff_t>(forms.size());
        lines.assign(end_of_forms, named.forms.end());
        named.forms.erase(end_of_forms, named.forms.end());
        result.parts = std::move(named.parts);
        result.gradients = std::move(named.forms);
    } else {
        NamedForms named = named_gradients(derivation, names, known);
        result.parts = std::move(named.parts);
        result.gradients = std::move(named.forms);
    }
    result.function = std::move(lines.front());
    result.statements.assign(lines.begin() + 1, lines.end());
    return result;
}

}  // namespace matgrad
