#pragma once
/// \file A Program of small matrices made ready for one problem at a time, and for nothing else: what a call then
/// does is decided here.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cpu/single/kernels.hpp"
#include "cpu/single/step.hpp"
#include "cpu/steps/gram_care.hpp"
#include "executor/executor.hpp"

namespace matgrad::detail {

/// Of the stack, at most.
inline constexpr std::int32_t kMostFrameBytes = 32 << 10;

struct SinglePlan {
    /// An operand comes into the frame.
    struct Brought {
        SinglePack pack;
        std::size_t operand;
        std::int64_t
            batch_bytes;  ///< for each element of its batch stride; 0 of one that problems share
        Placed to;
    };
    /// An output leaves it.
    struct Given {
        SingleUnpack unpack;
        std::size_t output;
        std::int64_t batch_bytes;
        Placed from;
    };

    ScalarType type = ScalarType::float64;  ///< of operands and results
    std::vector<Brought> operands;
    std::vector<SingleStep> steps;
    std::vector<Given> results;
    std::vector<std::unique_ptr<const GramCare>> care;  ///< that steps point to
    std::int32_t shape_status = 0;                      ///< of every problem, from the start
    std::int32_t cleared_bytes =
        0;  ///< at the end of the frame: matrices with gaps between their rows

    /// Problems [first, end) of a call. Returns how many failed. Allocates nothing and waits for nobody.
    std::int64_t run(const HostCall& call, std::int64_t first, std::int64_t end) const;
    /// All of a call, whatever its batch; many problems on several threads. Errors: those of Executor::run.
    RunSummary run_all(const HostCall& call, const RunHooks& hooks, int threads) const;
    /// What it is, in words.
    [[nodiscard]] std::string explain() const;
};

/// Is the Program planned for so few problems that lanes would be empty? Of the Program alone, so a problem's result
/// does not depend on how many a call has.
[[nodiscard]] bool is_for_few(const Program& program);

/// The Program as a plan for single problems, where its matrices are small, its steps have kernels and each of its
/// outputs is one that every problem has; else null.
///
/// shape_status   RunPlan::shape_status
[[nodiscard]] std::unique_ptr<const SinglePlan> make_single_plan(const Program& program,
                                                                 std::int32_t shape_status);

}  // namespace matgrad::detail
