#pragma once
/// \file Batches in host memory of which the processor finishes what a GPU leaves.

#include "cuda/module.hpp"
#include "executors/host_memory_run.hpp"

namespace matgrad::test {

/// With a finisher on the processor.
[[nodiscard]] gpu::ExecutorOptions finished_options();
/// The same with room for some thirty problems on the device, so that a batch goes through in chunks.
[[nodiscard]] gpu::ExecutorOptions chunked_options(const Program& program);

}  // namespace matgrad::test
