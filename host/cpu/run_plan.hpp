#pragma once
/// \file Where everything lies in the workspace of a run.
///
///     shared values | partial sums over the batch | for each thread: its tile, its scratch
///
/// A value of problem scope has a slot in the tile if it is computed there or must be gathered
/// there; a batched operand is read in place in the plain layout wherever strides allow.

#include <cstdint>
#include <vector>

#include "cpu/layout_choice.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// A batch_reduce step and where its sums lie among the sums of one segment.
struct BatchSum {
    Use use;
    ValueId out = kNoValue;
    std::int64_t first = 0;  ///< in doubles
    std::int64_t count = 0;
};

struct RunPlan {
    explicit RunPlan(Program given);
    RunPlan(const RunPlan&) = delete;
    RunPlan& operator=(const RunPlan&) = delete;

    Program program;
    Layout layout = Layout::plain;
    double problem_nanoseconds = 0;         ///< predicted, of one problem on one thread
    int lanes = 1;                          ///< of a tile; also the problems in one
    bool calls_blas = false;                ///< of some step
    std::vector<std::int64_t> slots;        ///< by value: bytes into the shared area or the tile
    std::vector<const Step*> shared_steps;  ///< run once, before
    std::vector<const Step*> tile_steps;    ///< run for each tile
    std::vector<int> partners;              ///< of the tile steps, as find_step_pairs tells
    std::vector<const Step*> final_steps;   ///< run once, on values reduced over the batch
    std::vector<BatchSum> sums;
    std::int64_t sum_count = 0;  ///< doubles in the sums of one segment
    std::int64_t segments = 0;   ///< parts of the batch that are summed apart, 0 without sums
    std::int64_t shared_bytes = 0;
    std::int64_t tile_bytes = 0;
    std::int64_t scratch_bytes = 0;

    [[nodiscard]] const Value& value(ValueId id) const { return program.value(id); }
    [[nodiscard]] std::int64_t workspace_bytes(int threads) const;
};

}  // namespace matgrad::detail
