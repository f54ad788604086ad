#pragma once
/// \file Which layout a Program runs in, and its steps in that layout.

#include <optional>
#include <string>
#include <vector>

#include "cpu/steps/run_layout.hpp"
#include "cpu/steps/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

enum class Layout {
    compact,  ///< tiles of kLanes problems, one SIMD lane each
    plain,    ///< one problem at a time, in ordinary matrices
    runs,     ///< tiles of problems in ordinary matrices, all of them in one call where that can be
};

struct LayoutChoice {
    Layout layout = Layout::plain;
    std::int64_t tile = 1;   ///< the most problems of a tile
    double nanoseconds = 0;  ///< predicted, of one problem on one thread
    std::vector<CpuStepPtr> steps;
    RunLayout runs;      ///< of runs: where values lie; its steps are those above
    std::string reason;  ///< in words
};

/// The layout with the smallest predicted time for the batch that the Program was planned for, unless
/// another is `wanted`; a function of the Program alone, which outlives the steps.
[[nodiscard]] LayoutChoice choose_layout(const Program& program, std::optional<Layout> wanted = {});

}  // namespace matgrad::detail
