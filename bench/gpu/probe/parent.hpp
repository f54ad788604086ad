#pragma once
/// \file Runs parts one after the other, each in a process of its own.

#include "options.hpp"

namespace matgrad::probe {

/// Exit status: 0 if every part that was run gave its facts and none is wrong, else 1. A part for which
/// no time was left counts as neither; the last line says how many there were.
/// Errors: std::runtime_error if the file cannot be written.
/// `shared`: several processes may use the device at once.
[[nodiscard]] int run_parts(const Options& options, const std::vector<Part>& parts, bool shared);

}  // namespace matgrad::probe
