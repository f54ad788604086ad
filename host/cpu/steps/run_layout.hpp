#pragma once
/// \file The run layout: a tile of problems in ordinary matrices, a step for all of them where it can.

#include <string>
#include <vector>

#include "cpu/steps/run_steps.hpp"
#include "cpu/steps/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// The most problems of a tile.
inline constexpr std::int64_t kMostProblems = 1024;

/// A value that is needed for its sum over the batch alone: the tile has one matrix of it.
struct SummedValue {
    ValueId value;
    ScalarType type;
};

/// A result that no step reads.
struct LeavingValue {
    ValueId value;
    Leaves how;
};

struct RunLayout {
    std::int64_t tile = 0;  ///< problems of a tile; 0: the Program is not for this layout
    std::vector<CpuStepPtr> steps;
    std::vector<SummedValue> summed;
    std::vector<LeavingValue> leaving;  ///< results that no step reads: of the Program's type
    std::vector<std::string> at_once;   ///< the steps that take all problems of a tile in one call
    double nanoseconds = 0;             ///< predicted, of one problem in a full tile
    /// By value of problem scope that a tile holds one of for each problem: bytes from the begin of the
    /// tile for one problem, or -1.
    std::vector<std::int64_t> offsets;
    std::int64_t problem_bytes = 0;  ///< that the tile takes for each problem
};

/// A function of the Program alone, which outlives the steps. `wanted`: even where nothing is gained.
[[nodiscard]] RunLayout make_run_layout(const Program& program, bool wanted);

}  // namespace matgrad::detail
