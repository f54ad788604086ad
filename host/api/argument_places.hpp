#pragma once
/// \file Which argument of a call is which operand or output of a plan: by name, or by position where no
/// argument has one.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace matgrad::detail {

/// places[i] is the place in `names` of the argument that is called given[i]; all empty: i itself.
///
/// what     "operand", "result", for the errors
/// Errors   OperandError for an argument that is missing, unknown, given twice, or without a name among others
///          that have one.
void place_arguments(const char* what, std::span<const std::string> names,
                     std::span<const std::string_view> given, std::span<std::size_t> places);

}  // namespace matgrad::detail
