#pragma once
/// \file One call: shared steps, then the batch slice by slice, then what is left of the sums.

#include "cuda/library/library_plan.hpp"
#include "cuda/module.hpp"

namespace matgrad::gpu {

/// The arguments have been checked. `run` has handles, stream, flags and host memory. Errors:
/// UnsupportedError, with nothing enqueued, where the stream is captured and a step may not be.
void enqueue_plan(const LibraryPlan& plan, const DeviceCall& call, StepRun& run);

/// What the same call would enqueue. Nothing of CUDA is called.
[[nodiscard]] OperationLog record_plan(const LibraryPlan& plan, const DeviceCall& call,
                                       StepRun& run);

}  // namespace matgrad::gpu
