#pragma once
/// \file Is this a Program? The rules of program.hpp as code, for whoever makes or changes one.

#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// How far a Program has come: later stages keep the rules of earlier ones.
enum class Stage {
    lowered,  ///< steps read values that are written before them, shapes fit
    scoped,   ///< scopes of values and steps are settled, steps in their order
    placed,   ///< every value has its place in the workspace
};

/// One line for each rule that is broken, with the step and the value; none for a good Program.
[[nodiscard]] std::vector<std::string> find_faults(const Program& program, Stage stage);

/// Throws std::logic_error with the first fault; `after` says which pass left it.
void verify(const Program& program, Stage stage, const char* after);

}  // namespace matgrad
