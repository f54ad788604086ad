#pragma once
/// \file All of a run that the Program alone decides: its steps, and where everything lies in the
/// workspace.
///
///     shared values | partial sums over the batch | views of shared values | for each thread: its
///     views, its tile, its scratch
///
/// A value of problem scope has a slot in the tile if it is computed there or must be gathered there; a
/// batched operand is read in place where the layout allows it.

#include <cstdint>
#include <optional>
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
    bool of_tile = false;  ///< the value is the sum over a tile already
};

/// A matrix of the caller's for each problem: where that of problem 0 is.
struct Given {
    ValueId value;
    View view;
    std::int64_t step;  ///< bytes from one problem to the next

    [[nodiscard]] std::byte* at(std::int64_t problem) const { return view.data + problem * step; }
    [[nodiscard]] View of(std::int64_t problem) const {
        View v = view;
        v.data = at(problem);
        return v;
    }
};

/// A result of the caller's, and how it gets there.
struct GivenResult {
    enum class How { computed_there, written, copied_from_operand, repeated };

    Given to;
    How how = How::written;
    double beta = 0;
};

struct RunPlan {
    RunPlan(Program given, std::optional<Layout> wanted);
    RunPlan(const RunPlan&) = delete;
    RunPlan& operator=(const RunPlan&) = delete;

    Program program;
    LayoutChoice choice;                   ///< with the steps that run for each tile
    std::int32_t shape_status = 0;         ///< of every problem, from the start
    std::vector<CpuStepPtr> shared_steps;  ///< run once, before
    std::vector<CpuStepPtr> final_steps;   ///< run once, on values reduced over the batch
    int lanes = 1;                         ///< of the values of a tile
    bool calls_blas = false;               ///< of some step
    std::vector<View> views;               ///< by value: without data
    std::vector<std::int64_t> slots;   ///< by value: bytes into the shared area or the tile, or -1
    std::vector<Leaves> leaves;        ///< by value: RunLayout::leaving
    std::vector<ValueId> operands;     ///< of problem scope, that a tile reads
    std::vector<std::size_t> results;  ///< outputs that every problem has and that are not empty
    bool writes_problems = false;      ///< some output is one that every problem has
    std::vector<BatchSum> sums;
    std::int64_t sum_count = 0;  ///< doubles in the sums of one segment
    std::int64_t segments =
        0;  ///< how many segments of the batch are summed at once, 0 without sums
    std::int64_t segment_problems = 1;        ///< the fewest problems of a segment
    std::vector<ValueId> single_values;       ///< those not of problem scope
    std::vector<std::size_t> single_results;  ///< outputs with one matrix for the batch
    std::int64_t shared_bytes = 0;
    std::int64_t sums_bytes = 0;
    std::int64_t views_bytes = 0;  ///< of all values, of what is Given, and what is streamed
    std::int64_t tile_bytes = 0;
    std::int64_t scratch_bytes = 0;

    [[nodiscard]] const Value& value(ValueId id) const { return program.value(id); }
    [[nodiscard]] bool is_compact() const { return choice.layout == Layout::compact; }
    [[nodiscard]] bool is_runs() const { return choice.layout == Layout::runs; }
    [[nodiscard]] std::int64_t tile() const { return choice.tile; }  ///< problems, at most
    /// Problems of each tile of a batch but the last; the batch alone decides.
    [[nodiscard]] std::int64_t tile_of(std::int64_t batch) const;
    /// Problems of each segment of a batch but the last, whole tiles; the batch alone decides.
    [[nodiscard]] std::int64_t segment_of(std::int64_t batch) const;
    /// How many of `threads` a batch has tiles for: each needs memory of its own.
    [[nodiscard]] int workers_of(std::int64_t batch, int threads) const;
    [[nodiscard]] std::int64_t thread_bytes() const {
        return views_bytes + tile_bytes + scratch_bytes;
    }
    [[nodiscard]] std::int64_t workspace_bytes(int threads) const {
        return shared_bytes + sums_bytes + views_bytes + threads * thread_bytes();
    }
};

}  // namespace matgrad::detail
