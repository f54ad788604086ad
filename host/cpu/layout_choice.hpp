#pragma once
/// \file Which layout a Program runs in.

#include <optional>
#include <string>

#include "program/program.hpp"

namespace matgrad::detail {

enum class Layout {
    compact,  ///< tiles of kLanes problems, one SIMD lane each
    plain,    ///< one problem at a time, in ordinary matrices
};

struct LayoutChoice {
    Layout layout;
    double nanoseconds;  ///< predicted, of one problem on one thread
};

/// The layout with the smaller predicted time; a function of the Program alone.
[[nodiscard]] LayoutChoice choose_layout(const Program& program);

/// The reason, in words.
[[nodiscard]] std::string explain_layout(const Program& program);

/// For tests: choose this layout from now on, and take every problem for worth a thread of its own;
/// or decide again if empty. Not thread-safe.
void force_layout(std::optional<Layout> layout);

}  // namespace matgrad::detail
