#pragma once
/// \file A step of a Program as the library executor runs it: made once with the plan, enqueued for
/// each slice of the batch.

#include <memory>

#include "cuda/library/step_run.hpp"
#include "cuda/library/step_setup.hpp"

namespace matgrad::gpu {

class LibraryStep {
public:
    LibraryStep() = default;
    LibraryStep(const LibraryStep&) = delete;
    LibraryStep& operator=(const LibraryStep&) = delete;
    virtual ~LibraryStep() = default;
    /// Only enqueues, through the run, which may record instead; its scratch is free again when it
    /// returns.
    virtual void enqueue(StepRun& run) const = 0;
};

using StepPointer = std::unique_ptr<const LibraryStep>;

/// Any step but a batch_reduce. Errors: UnsupportedError for sizes that a library does not take.
[[nodiscard]] StepPointer make_step(StepSetup& setup);

// One group each; product_steps.cpp, triangle_steps.cpp, lu_steps.cpp, entry_steps.cpp.
[[nodiscard]] StepPointer make_gemm(StepSetup& setup, const Gemm& step);
[[nodiscard]] StepPointer make_syrk(StepSetup& setup, const Syrk& step);
[[nodiscard]] StepPointer make_potrf(StepSetup& setup, const Potrf& step);
[[nodiscard]] StepPointer make_trsm(StepSetup& setup, const Trsm& step);
[[nodiscard]] StepPointer make_getrf(StepSetup& setup, const Getrf& step);
[[nodiscard]] StepPointer make_solve(StepSetup& setup, const Solve& step);
[[nodiscard]] StepPointer make_map(StepSetup& setup, const Map& step);
[[nodiscard]] StepPointer make_reduce(StepSetup& setup, const Reduce& step);
[[nodiscard]] StepPointer make_copy(StepSetup& setup, const Copy& step);
[[nodiscard]] StepPointer make_window(StepSetup& setup, const Window& step);

}  // namespace matgrad::gpu
