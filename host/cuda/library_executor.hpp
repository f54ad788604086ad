#pragma once
/// \file The library executor: every step of a Program is a call of cuBLAS or cuSOLVER, a generated
/// kernel or a Thrust algorithm.

#include <memory>

#include "cuda/device_executor.hpp"
#include "cuda/module.hpp"

namespace matgrad::gpu {

/// On options.device. Errors: OperandError for a device that does not exist; UnsupportedError;
/// MachineError.
[[nodiscard]] std::unique_ptr<const DeviceExecutor> make_library_executor(
    Program program, const ExecutorOptions& options);

}  // namespace matgrad::gpu
