#pragma once
/// \file Batches in host memory of which the processor finishes what a GPU leaves.

#include <cstdint>
#include <vector>

#include "cuda/module.hpp"
#include "executors/executor_under_test.hpp"

namespace matgrad::test {

/// With a finisher on the processor.
[[nodiscard]] gpu::ExecutorOptions finished_options();
/// The same with room for some thirty problems on the device, so that a batch goes through in chunks.
[[nodiscard]] gpu::ExecutorOptions chunked_options(const Program& program);

/// As RunProgram. `workspace` of its own.
[[nodiscard]] RunResult run_in_host_memory(const Executor& executor, std::int64_t batch,
                                           const std::vector<const Matrices*>& operands,
                                           const std::vector<Matrices*>& results,
                                           const CallWishes& wishes = {},
                                           const RunHooks& hooks = {});

}  // namespace matgrad::test
