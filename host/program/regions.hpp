#pragma once
/// \file A Program as passes over panels of its long dimensions: what an executor computes while values are on chip.
///
/// A panel is some rows (or columns) of a value. In a pass over a dimension, steps that have it in their result are
/// *local*: a panel of the result needs the same panel of what they read. Steps that have it in what they read
/// alone *contract* it: each panel gives a part of the result. All others see *whole* values, which are on chip.
/// Values of panels that no other pass reads never reach memory. This follows from the operations, uses and shapes
/// of the steps of problem scope. Steps that run for the batch (BatchReduce, Fold::inner) are outside: what they read is
/// a result here, and so are the outputs that steps inside compute.

#include <cstdint>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// What the analysis is made for.
struct RegionLimits {
    std::int64_t bytes = 0;           ///< on chip, for the values of one problem
    double operations_per_byte = 10;  ///< operations that take the time of one byte of memory
};

/// Rows of a panel are a multiple of this, but where a panel is all of the dimension.
inline constexpr std::int64_t kPanelStep = 4;

/// Which part of a value: all of it, or the rows or columns of one panel (before any transposition).
enum class Cut { whole, rows, cols };

/// How the parts that panels give are put together.
enum class Join {
    sum,
    max,  ///< NaN if any part is
    product,
    norm,  ///< the root of the sum of squares
};

/// A step that runs for each panel.
struct PanelStep {
    int step = -1;           ///< index into Program::steps
    bool contracts = false;  ///< gives a part of its result, which is whole
    bool again = false;      ///< an earlier pass ran it too
    bool needs_offset =
        false;  ///< reads places in the matrix: the first row (column) of the panel counts
    Cut out = Cut::whole;
    Cut domain = Cut::whole;  ///< of a map or reduce: which side of its domain; of others as `out`
    std::vector<Cut> uses;    ///< what is read of each use, in the order of for_each_use
};

/// A result that grows over the panels. Parts are made without alpha, beta, c and scale: when all panels are joined,
/// these are applied once, in the order of Pass::after.
struct Contraction {
    int step = -1;
    ValueId value = kNoValue;
    Join join = Join::sum;
    double initial = 0;
};

/// A value between memory and chip: whole, or panel by panel. One whose rows and columns are read has two.
struct Transfer {
    ValueId value = kNoValue;
    Cut cut = Cut::whole;
};

/// The root of a Gram matrix that is neither on chip nor in memory when its Cholesky factor is made (gram_limits.hpp
/// says whether a factor needs its root): where the condition asks for it, these steps make its panels again.
struct RootAgain {
    int step = -1;           ///< the potrf
    std::vector<int> steps;  ///< in order, the last one writes the root
};

/// Steps before the panels, steps for each panel, steps after.
struct Pass {
    Extent dimension;        ///< size 0: no panels, all steps stand in `before`
    std::int64_t panel = 0;  ///< rows of a panel; the last one may have fewer
    std::vector<Transfer> reads;
    std::vector<int> before;  ///< steps on whole values that the panels need
    std::vector<PanelStep> steps;
    std::vector<Contraction> contractions;
    /// In order: other steps on whole values, and contractions again where alpha, beta and c come in.
    std::vector<int> after;
    std::vector<Transfer> writes;  ///< results, and panels that a later pass reads
    std::vector<RootAgain> roots;
    std::int64_t whole_bytes = 0;  ///< on chip while panels run, beside what belongs to a panel
    std::int64_t row_bytes = 0;    ///< on chip for each row of a panel, at the peak by lifetime
    std::int64_t bytes = 0;        ///< on chip at the peak of the pass

    [[nodiscard]] std::int64_t panels() const {
        return panel == 0 ? 1 : (dimension.size + panel - 1) / panel;
    }
};

struct Regions {
    std::vector<Pass> passes;
    /// Values from memory or panels that stay on chip whole from the first pass that reads or makes them to the last.
    std::vector<ValueId> kept;
    bool fits = true;        ///< into the limit; otherwise these are the regions that need least
    std::int64_t bytes = 0;  ///< on chip at the peak
    // For each problem:
    std::int64_t bytes_read = 0;
    std::int64_t bytes_written = 0;
    std::int64_t shared_bytes_read = 0;  ///< of what the batch shares, not part of bytes_read
    std::int64_t least_read = 0;         ///< each input once
    std::int64_t least_written = 0;      ///< each result once
};

/// The Program, which is placed, in as little traffic as the limits allow.
[[nodiscard]] Regions find_regions(const Program& program, const RegionLimits& limits);

/// Is what a use of the panels reads, rows or columns of a value, a panel of its own? Otherwise it is part of the value,
/// which is on chip whole.
[[nodiscard]] bool is_panel(const Regions& regions, const Pass& pass, const Program& program,
                            ValueId value, Cut cut);

/// Is the step part of the regions, and not left to sums over the batch or run once?
[[nodiscard]] bool is_in_regions(const Step& step);

/// Pass by pass: dimension and panels, what is read, each step with its part, what is written; then totals.
[[nodiscard]] std::string to_text(const Program& program, const Regions& regions);

}  // namespace matgrad
