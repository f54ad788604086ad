#pragma once
/// \file Batches in host memory: chunks through pinned buffers, upload, compute and download
/// overlapped, shared among several devices.

#include <span>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// See Module::run_on_host.
RunSummary run_host_batch(std::span<const Executor* const> executors, const HostCall& call,
                          const RunHooks& hooks);

}  // namespace matgrad::gpu
