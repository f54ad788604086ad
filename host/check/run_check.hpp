#pragma once
/// \file Results of a plan, problem by problem or reduced over the batch, against the reference.

#include <cstdint>
#include <span>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// What is asked of a plan, and what it says of itself.
struct CheckedPlan {
    Expr f;
    PlanOptions options;  ///< the device settled
    std::vector<Operand> operands;
    std::vector<OutputInfo> outputs;
};

/// A run that is over, in host memory; views in the order of the plan's operands and outputs.
struct FinishedRun {
    std::int64_t batch = 0;
    std::span<const ConstStrided> operands;
    std::span<const Strided> results;
    std::span<const std::int32_t> status;  ///< one per problem; empty if all succeeded
};

/// Results of their own are compared for the problems named, or for `sample_problems`; sums and means
/// over the batch are compared whole. A result beyond its bound is left out where a number on the way to it
/// is beyond the range of the type.
///
/// Errors   OperandError for a problem outside the batch, and for problems named where all results are
///          reduced; those of the reference.
[[nodiscard]] CheckReport check_results(const CheckedPlan& plan, const FinishedRun& run,
                                        std::span<const std::int64_t> problems);

/// At most eight problems, in order: all of a small batch; else the first, the last and some between,
/// drawn with a fixed seed.
[[nodiscard]] std::vector<std::int64_t> sample_problems(std::int64_t batch);

}  // namespace matgrad::detail
