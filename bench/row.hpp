#pragma once
/// \file What a run gives: one row for each case, and what they are of.

#include <string>
#include <utility>
#include <vector>

#include "bench/case.hpp"
#include "bench/timing.hpp"
#include "bench/work.hpp"
#include "check/differential_check.hpp"

namespace matgrad::bench {

struct Row {
    Case c;
    std::string executor;
    bool ok = false;
    std::string error;  ///< why there is no time
    Timing timing;
    double plan_seconds = kNone;  ///< of making ready what computes the case, the first time
    std::int64_t copies = 0;
    Work work;
    double bound_seconds = kNone;
    Comparison residual{kNone, kNone};

    [[nodiscard]] double gb_per_s() const { return 1e-9 * work.bytes() / timing.seconds; }
    [[nodiscard]] double gflop_per_s() const { return 1e-9 * work.operations() / timing.seconds; }
    [[nodiscard]] double percent_of_bound() const { return 100 * bound_seconds / timing.seconds; }
};

struct Report {
    std::string tool = "matgrad";
    std::string device;
    std::vector<std::pair<std::string, std::string>> versions;
    std::string commit;
    std::string command;
    std::string date;
    int threads = 0;
    std::string suite;
    Ceilings ceilings;
    std::vector<Row> rows;
    std::vector<std::string> left_out;  ///< rows for which no time was left, `NAME (EXECUTOR)`
};

/// As bench/README.md describes them.
[[nodiscard]] std::string to_json_text(const Report& report);
[[nodiscard]] std::string to_csv(const std::vector<Row>& rows);

/// Lines of a table for people.
[[nodiscard]] std::string table_head(const Report& report);
[[nodiscard]] std::string table_line(const Row& row);

}  // namespace matgrad::bench
