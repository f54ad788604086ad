#pragma once
/// \file A profile as text.

#include <string>

#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

/// Lines on what the launch moved and waited for, and the places in the text that moved most; one line
/// if it was not profiled.
[[nodiscard]] std::string describe(const Launch& launch);

}  // namespace matgrad::simulated
