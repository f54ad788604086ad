#pragma once
/// \file The manual page, from the rows of commands.hpp and the functions of the language.

#include <string>
#include <string_view>

namespace matgrad {

/// `matgrad.1`, in the macros of man(7).
[[nodiscard]] std::string manual_page(std::string_view version);

}  // namespace matgrad
