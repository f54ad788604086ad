#pragma once
/// \file Runs a Program of one problem by its regions, panel by panel, in double: a naive executor, to hold regions against
/// the Program run step by step.
///
/// It has no more than regions give it: what is read from memory, what stays on chip, what a panel holds. A value that is
/// not there is a failure of the test.

#include <Eigen/Dense>
#include <map>
#include <set>
#include <vector>

#include "program/regions.hpp"

namespace matgrad::testing {

using ValueMap = std::map<ValueId, Eigen::MatrixXd>;

/// One step on matrices: the value of each use, in the order of for_each_use, as stored, whole or cut.
struct StepRun {
    std::vector<Eigen::MatrixXd> inputs;
    Cut domain = Cut::whole;
    std::int64_t first = 0;  ///< row (column) at which the panel begins
    std::int64_t count = 0;  ///< its rows (columns)
    bool is_part = false;    ///< without alpha, beta, c and scale
};
struct StepResult {
    Eigen::MatrixXd out, out2;
    int status = 0;
};
[[nodiscard]] StepResult run_step(const Program& program, int step, const StepRun& run);

/// Every value of the steps in the regions, run one after the other on whole values. `memory` has operands and what
/// shared steps write.
struct WholeRun {
    ValueMap values;
    int status = 0;
};
[[nodiscard]] WholeRun run_whole(const Program& program, ValueMap memory);

/// What shared steps write, of the shared operands.
void run_shared(const Program& program, ValueMap& memory);

struct RegionRun {
    ValueMap memory;  ///< with all that was written
    int status = 0;
    std::int64_t bytes = 0;  ///< on chip at the peak, as the run touched them
    std::int64_t bytes_read = 0;
    std::int64_t bytes_written = 0;
    int roots_again = 0;  ///< how many roots were made again
};
[[nodiscard]] RegionRun run_regions(const Program& program, const Regions& regions,
                                    ValueMap memory);

}  // namespace matgrad::testing
