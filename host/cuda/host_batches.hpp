#pragma once
/// \file Batches in host memory: chunks through pinned buffers, upload, compute and download
/// overlapped, shared among several devices.

#include <cstddef>
#include <memory>
#include <span>

#include "cuda/device_executor.hpp"
#include "cuda/finisher.hpp"
#include "cuda/host_copy.hpp"

namespace matgrad::gpu {

struct HostOptions {
    std::size_t device_memory = 0;  ///< most bytes to take on each device; 0: what is free
    Copying copying;
};

/// Results do not depend on which device is faster. What the devices have left to the finisher comes last. Errors:
/// MachineError, Interrupted, what a hook throws, those of the finisher.
RunSummary run_host_batch(std::span<const std::unique_ptr<const DeviceExecutor>> executors,
                          const HostCall& call, const HostOptions& options,
                          const Finisher& finisher, const RunHooks& hooks);

}  // namespace matgrad::gpu
