#pragma once
/// \file One call: shared steps, then the batch slice by slice, then what is left of the sums.

#include "cuda/library/library_plan.hpp"
#include "cuda/module.hpp"

namespace matgrad::gpu {

/// The arguments have been checked. `run` has kernels, handles, stream, flags and host memory.
void enqueue_plan(const LibraryPlan& plan, const DeviceCall& call, StepRun& run);

}  // namespace matgrad::gpu
