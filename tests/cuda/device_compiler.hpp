#pragma once
/// \file The real NVRTC, which needs no driver, on texts that include the headers of kernels/.

#include <cstddef>
#include <string>

namespace matgrad::test {

/// Compiles without a warning, without a register in local memory: for Ampere, Hopper or Blackwell, or for
/// all three if MATGRAD_EVERY_ARCHITECTURE is set. `stack`: kernels may have a stack frame.
void expect_clean(const std::string& text, std::size_t kernels, bool stack = false);

/// The PTX of one kernel of a text, for Hopper.
[[nodiscard]] std::string ptx_of(const std::string& text, const std::string& kernel);

/// How often `what` is in a text.
[[nodiscard]] int count_of(const std::string& what, const std::string& text);

}  // namespace matgrad::test
