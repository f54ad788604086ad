#pragma once
/// \file A Program as the library executor runs it, made once: steps, kernels, places in the workspace.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/kernels.hpp"
#include "cuda/library/batch_sums.hpp"
#include "cuda/library/fused_step.hpp"
#include "cuda/library/in_place.hpp"
#include "cuda/library/results.hpp"
#include "cuda/library/step.hpp"
#include "cuda/placement.hpp"

namespace matgrad::gpu {

struct LibraryPlan {
    LibraryPlan(const Program& the_program, const InPlace& what_is_in_place, Results the_results,
                Kernels the_kernels)
        : program(the_program),
          in_place(what_is_in_place),
          results(std::move(the_results)),
          kernels(std::move(the_kernels)) {}

    /// In the order of the Program.
    struct PlannedStep {
        const Step* step = nullptr;
        StepPointer run;
        bool takes_addresses = false;  ///< of its matrices, one by one
    };
    const Program& program;
    InPlace in_place;
    std::vector<PlannedStep> shared_steps, problem_steps, final_steps;
    std::unique_ptr<const FusedStep> fused;  ///< before the problem_steps; null where nothing is
    std::string why_not_fused;
    BatchSums sums;
    Results results;
    Kernels kernels;
    Placement placement;
    std::int64_t host_bytes = 0;
    Thresholds thresholds;
    bool gathers = false;               ///< as ExecutorOptions
    bool can_fail = false;              ///< something is factored or summed over the batch
    bool can_lose_results = false;      ///< something is factored:
    bool can_fail_once = false;         ///< once for the batch
    bool can_fail_per_problem = false;  ///< for every problem
    KernelId count_failed = kNoKernel;  ///< where a mean is asked for and problems can fail
};

/// Errors: UnsupportedError for sizes that a library does not take; MachineError.
[[nodiscard]] std::unique_ptr<const LibraryPlan> make_library_plan(const Program& program,
                                                                   const ExecutorOptions& options,
                                                                   const Context& context);

/// One line for each step: what it enqueues for a slice where operands and results are contiguous; and how
/// many operations of the stream that makes.
[[nodiscard]] std::vector<std::string> explain_plan(const LibraryPlan& plan);

}  // namespace matgrad::gpu
