#pragma once
/// \file Functions of other languages and of papers that this language does not have: a row each.
///
/// Those that it has under another name are in the column `also` of its own functions.

#include <span>
#include <string_view>

namespace matgrad::detail {

struct ForeignFunction {
    std::string_view names;   ///< a space before and after each
    std::string_view answer;  ///< goes on behind `there is no function NAME`
};

/// All rows. None has the name of a function of the language.
[[nodiscard]] std::span<const ForeignFunction> foreign_functions();

/// What to write in its place; empty if nothing is known of the name.
[[nodiscard]] std::string_view answer_for_function(std::string_view name);

}  // namespace matgrad::detail
