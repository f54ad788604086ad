#pragma once
/// \file What `--help` prints.

#include <string_view>

namespace matgrad {

/// The help of a command; of all of them for an empty name. Empty if there is no such command.
[[nodiscard]] std::string_view help_text(std::string_view command);

}  // namespace matgrad
