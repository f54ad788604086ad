#pragma once
/// \file A derivation as JSON.

#include <string>

#include "cli/question.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad {

/// One object: `given` and `expression` (canonical), `symbols` with shape and structure,
/// `gradients` in text, LaTeX and NumPy, and `steps` with rule and source; `parts` that have names, and
/// then also the gradients `with_parts`.
[[nodiscard]] std::string to_json(const Question& question, const Derivation& derivation,
                                  PartNames names);

}  // namespace matgrad
