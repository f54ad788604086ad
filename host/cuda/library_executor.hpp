#pragma once
/// \file The library executor: every step of a Program is a call of cuBLAS or cuSOLVER, a generated
/// kernel or a Thrust algorithm.

#include <memory>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// Errors: OperandError for a device that does not exist; MachineError.
[[nodiscard]] std::unique_ptr<const Executor> make_library_executor(Program program,
                                                                    const ExecutorOptions& options);

}  // namespace matgrad::gpu
