#pragma once
/// \file Where a plan runs.

#include <string>

#include "cuda/module.hpp"
#include "matgrad/device.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

struct DeviceChoice {
    Device device;                        ///< never automatic
    const gpu::Module* module = nullptr;  ///< for a GPU
    std::string reason;                   ///< one line for explain(); empty if nothing was chosen
};

/// Seconds that a batch in host memory takes; for a GPU with the start of its runtime. The rates come from
/// data sheets and were not measured on a GPU.
struct PredictedSeconds {
    double on_processor = 0;
    double on_gpu = 0;
};
[[nodiscard]] PredictedSeconds predict(const Program& program, int threads);

/// Settles `automatic`: a GPU if its predicted time is the shorter one and it can be used. The
/// module of the CUDA executors is opened for a GPU asked for, and where one seems worth it.
///
/// Errors   MachineError if a GPU is asked for and the module cannot be opened.
[[nodiscard]] DeviceChoice choose_device(const Device& asked, const Program& program, int threads);

}  // namespace matgrad::detail
