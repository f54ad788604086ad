#pragma once
/// \file The executor of one GPU or of all: device memory is enqueued, host memory streamed through.

#include <memory>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// See Module::make_executor.
[[nodiscard]] std::unique_ptr<const Executor> make_cuda_executor(const Program& program,
                                                                 const ExecutorOptions& options);

}  // namespace matgrad::gpu
