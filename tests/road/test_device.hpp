#pragma once
/// \file Where the plans of these tests run: another definition in each program of them.

#include "matgrad/device.hpp"

namespace matgrad {

struct TestDevice {
    Device device;
    /// One in so many of the dearer cases is tried: above 1 where a plan is slow to make or to run.
    int every = 1;
    GpuExecutor executor = GpuExecutor::automatic;
};

[[nodiscard]] TestDevice test_device();

}  // namespace matgrad
