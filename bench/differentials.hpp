#pragma once
/// \file What peers are held to: the answers of a suite as JSON.

#include <cstddef>
#include <functional>
#include <string>

#include "bench/answers.hpp"

namespace matgrad::bench {

/// As bench/README.md describes it. `progress` is told of every case that is done.
[[nodiscard]] std::string differentials_text(const Suite& suite, AnswerBook& book,
                                             const std::function<void(std::size_t)>& progress);

}  // namespace matgrad::bench
