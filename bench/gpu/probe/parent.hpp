#pragma once
/// \file Runs parts one after the other, each in a process of its own.

#include "options.hpp"

namespace matgrad::probe {

/// Exit status: 0 if every part gave its facts, 1 if one failed or had no time.
/// Errors: std::runtime_error if the file cannot be written.
[[nodiscard]] int run_parts(const Options& options, const std::vector<Part>& parts);

}  // namespace matgrad::probe
