#pragma once
/// \file What a shell needs to complete the command, from the rows of commands.hpp and the catalogue.

#include <string>

namespace matgrad {

/// A script for bash, which needs no package.
[[nodiscard]] std::string bash_completion();

}  // namespace matgrad
