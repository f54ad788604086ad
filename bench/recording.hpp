#pragma once
/// \file A suite row by row. What was measured is in the files after every row, so that a run that is
/// ended at any moment loses at most the row that it was at.

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "bench/row.hpp"
#include "bench/runner.hpp"

namespace matgrad::bench {

/// Writes a file that is whole whenever it is looked at: under the name `path`.partial, which then
/// takes the place of `path`. Errors: MachineError.
void write_whole(const std::string& path, const std::string& text);

struct RecordOptions {
    Pace pace;
    Clock::time_point start = Clock::now();
    double budget = std::numeric_limits<double>::infinity();  ///< seconds since `start`
    std::optional<std::string> json, csv;                     ///< paths
    std::function<void(const Row&)> show = [](const Row&) {};
};

/// Measures each case with each executor that computes it. Rows are added to the report; those that
/// are not begun within the budget are listed as left out. The files are written after every row and
/// at the end.
/// Errors: MachineError of the files; Interrupted, and whatever `pace.check_stop` throws.
void record(std::span<const Case> cases, Runner& runner, const RecordOptions& how, Report& report);

/// `3 rows left out, no time left: NAME (EXECUTOR), ...`, a line; empty if there are none.
[[nodiscard]] std::string left_out_text(const Report& report);

}  // namespace matgrad::bench
