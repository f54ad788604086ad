#pragma once
/// \file Where everything lies in the workspace of the library executor.
///
///     shared values | totals of sums over the batch | status of the shared steps, count of the
///     failed | pivots in 64 bit | workspace of cuBLAS | pointers and infos of a slice | its status |
///     scratch of a step | values of a slice
///
/// A batch is worked off in slices, so the workspace does not grow with it. The values of a slice
/// stand each in a stretch of its own, the problems one after the other. Pure functions of a Program.

#include <cstdint>
#include <vector>

#include "program/program.hpp"
#include "program/round_up.hpp"

namespace matgrad::gpu {

/// Every region begins at a multiple of this many bytes.
inline constexpr std::int64_t kPlacementAlignment = 256;
[[nodiscard]] constexpr std::int64_t aligned(std::int64_t bytes) {
    return round_up(bytes, kPlacementAlignment);
}

/// What the steps of a Program need besides the memory of its values.
struct PlacementNeeds {
    std::int64_t blas_bytes = 0;
    std::int64_t totals_bytes = 0;
    /// Of each step: scratch is `fixed + per_problem * problems`.
    struct Scratch {
        std::int64_t per_problem = 0, fixed = 0;
        bool once = false;  ///< a step that is not run for each problem
    };
    std::vector<Scratch> scratch;
    std::vector<ValueId> wide_pivots;  ///< values kept in 64 bit too
    bool gathers = false;              ///< batched operands have a place, too
    std::vector<char> on_chip = {};    ///< by value: it has no place; empty: all have
    std::int64_t pointer_arrays = 0;   ///< of addresses, one per problem
    std::int64_t slice_bytes = std::int64_t{256}
                               << 20;  ///< what a slice may take, unless a single problem
                                       ///< takes more
    std::int64_t limit = 0;  ///< most bytes of workspace, where one problem fits; 0: none is given
};

struct Placement {
    std::int64_t slice = 1;  ///< problems worked on at a time
    /// By value: where that of the first problem is, in bytes; -1 for operands that are not
    /// gathered.
    std::vector<std::int64_t> values;
    std::vector<std::int64_t> wide_pivots;  ///< by value; -1 where there are none
    std::int64_t totals = 0;
    std::int64_t shared_status = 0;  ///< one int32
    std::int64_t failed = 0;         ///< one int64
    std::int64_t blas = 0;
    std::int64_t pointers = 0;
    std::int64_t pointer_arrays = 0;
    std::int64_t info = 0;
    std::int64_t status = 0;
    std::int64_t scratch = 0;
    std::int64_t scratch_bytes = 0;
    std::int64_t bytes = 0;  ///< of the whole workspace
};

/// Errors: ShapeError if the workspace of one problem does not fit 63 bits.
[[nodiscard]] Placement place(const Program& program, const PlacementNeeds& needs);

}  // namespace matgrad::gpu
