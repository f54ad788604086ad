#pragma once
/// \file Device memory and a clock, for measurements: what Module::make_stopwatch gives.

#include <memory>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// Errors: OperandError for a device that does not exist; MachineError.
[[nodiscard]] std::unique_ptr<Stopwatch> make_event_stopwatch(int device);

/// Of the driver, the runtime and the libraries. Errors: MachineError.
[[nodiscard]] std::vector<Version> cuda_versions();

}  // namespace matgrad::gpu
