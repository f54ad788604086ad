#pragma once
/// \file The Programs whose texts are kept: the four functions at three sizes, the catalogue, the cookbook.

#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad::golden {

struct Case {
    std::string group;  ///< the file it is kept in
    std::string name;   ///< its heading there
    Program program;
};

[[nodiscard]] std::vector<Case> make_cases();
/// Catalogue and cookbook at sizes that are cut into panels: of these the regions are kept.
[[nodiscard]] std::vector<Case> make_long_cases();
/// The four functions where a fused kernel goes through panels.
[[nodiscard]] std::vector<Case> make_tall_cases();

}  // namespace matgrad::golden
