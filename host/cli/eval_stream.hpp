#pragma once
/// \file A batch of any length through a plan in pieces: while one piece is computed, the next is
/// read and the last is written.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cli/eval_outputs.hpp"
#include "cli/eval_request.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

/// One piece of the batch after its run: problems first .. first+count.
struct Piece {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::span<const OperandView> operands;  ///< in the order of the request's sources
    std::span<const ResultView> results;    ///< contiguous, in the order of the plan's outputs
    std::span<const std::int32_t> status;   ///< of each problem
};

struct StreamTotals {
    std::int64_t problems = 0;
    std::int64_t failed = 0;
    std::int64_t jittered = 0;  ///< by PlanOptions::jitter
    double largest_jitter = 0;
    std::int64_t first_failed = -1;  ///< its number in the batch
    std::int32_t first_status = 0;   ///< and its status
    /// Of outputs that are reduced: the sums over all pieces, or the means. In the order of the outputs.
    std::vector<std::vector<double>> reduced;
};

/// How many problems a piece has: as many as `memory` bytes hold twice over, at least one.
[[nodiscard]] std::int64_t piece_size(const EvalRequest& request,
                                      std::span<const OutputInfo> outputs, std::int64_t memory);

/// Runs the whole batch. `plan` is one of sums where the request asks for sums or means. `visit`
/// sees every piece, in order. Per-problem results go to `files` as they come, reduced ones at the
/// end. Those of each problem that a mean divides need the count of the problems that succeed: where there
/// are several pieces, all are run once before to count them.
///
/// Errors   those of the files; Interrupted.
StreamTotals stream(const EvalRequest& request, const Plan& plan, std::int64_t memory,
                    ResultFiles& files, const std::function<void(const Piece&)>& visit);

}  // namespace matgrad
