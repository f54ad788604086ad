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
    detail::NamedDerivation named = detail::named_derivation(derivation, false, names, known);
    return {std::move(named.parts), std::move(named.gradients)};
} catch (...) {
    detail::throw_as_matgrad();
}

detail::NamedDerivation detail::named_derivation(const Derivation& derivation, bool with_steps,
                                                 PartNames names,
                                                 std::span<const NamedPart> known) {
    const std::vector<Expr> forms = forms_of(derivation);
    std::vector<Expr> lines{derivation.function};
    for (const DerivationLine& line : derivation.lines) {
        lines.push_back(line.statement);
    }
    NamedForms named{{}, forms};
    named.forms.insert(named.forms.end(), lines.begin(), lines.end());
    if (has_names(derivation, names)) {
        named = named_parts(forms, with_steps ? lines : std::vector<Expr>{},
                            symbols(derivation.function), known, NamesFor::readers);
    }
    NamedDerivation result;
    const auto end_of_forms = named.forms.begin() + static_cast<std::ptrdiff_t>(forms.size());
    result.parts = std::move(named.parts);
    result.gradients.assign(named.forms.begin(), end_of_forms);
    if (with_steps) {
        result.function = *end_of_forms;
        result.statements.assign(end_of_forms + 1, named.forms.end());
    }
    return result;
}

}  // namespace matgrad
