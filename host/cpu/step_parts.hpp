#pragma once
/// \file What both layouts ask of a step: its uses, its scratch.

#include <cstdint>
#include <vector>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// Every present use of a step, in order of its fields.
[[nodiscard]] std::vector<Use> uses_of(const Step& step);
/// The body of a map or reduce, or nullptr.
[[nodiscard]] const MapBody* body_of(const Step& step);
/// Scratch that one run of the step may take in a layout of that many lanes.
[[nodiscard]] std::int64_t step_scratch_bytes(const Program& program, const Step& step, int lanes);

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace matgrad::detail
