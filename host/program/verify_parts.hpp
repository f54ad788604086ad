#pragma once
/// \file The parts of find_faults, each in a file of its own.

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "program/program.hpp"
#include "program/uses.hpp"

namespace matgrad {

/// What is wrong with a Program, line by line.
class Faults {
public:
    explicit Faults(const Program& program) : program_(program) {}

    template <typename... Arguments>
    void add(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        lines_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
    }
    /// `step 3 (gemm)`: the text of a step needs a Program that is sound.
    [[nodiscard]] std::string name_of(const Step& step) const {
        return fmt::format("step {} ({})", &step - program_.steps.data(),
                           kind_name(step.operation));
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

private:
    const Program& program_;
    std::vector<std::string> lines_;
};

/// verify_shapes.cpp: sizes of uses, domains and results; instructions of bodies.
void check_shapes(const Program& program, Faults& faults);
/// verify_places.cpp: no two values that live at once share memory, but where aliasing.hpp allows it.
void check_places(const Program& program, Faults& faults);

}  // namespace matgrad
