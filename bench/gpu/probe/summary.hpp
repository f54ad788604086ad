#pragma once
/// \file What was found out, in a few lines: the questions that the probe was written for.

#include "report.hpp"

namespace matgrad::probe {

/// One line for each question whose facts are there, at most 8 of at most 100 characters.
[[nodiscard]] std::vector<std::string> summarize(const std::vector<Outcome>& outcomes);

}  // namespace matgrad::probe
