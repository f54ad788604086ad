#pragma once
/// \file The text of the kernels that the library executor generates for a Program.

#include <string>

#include "program/program.hpp"

namespace matgrad::golden {

[[nodiscard]] std::string kernel_text(const Program& program);

/// The fused kernel, or why there is none.
[[nodiscard]] std::string fused_text(const Program& program);

}  // namespace matgrad::golden
