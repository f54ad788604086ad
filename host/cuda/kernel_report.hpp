#pragma once
/// \file The fused kernel of a Program and what can be said of it without a device: its text, what ptxas makes of
/// it, how many blocks are resident, its bytes and operations, and a bound of its time.

#include <cstdint>
#include <string>

#include "cuda/fused/configuration.hpp"
#include "cuda/fused/description.hpp"
#include "cuda/kernel_resources.hpp"
#include "cuda/kernel_source.hpp"
#include "cuda/module.hpp"

namespace matgrad::gpu {

/// As the executor makes it on such a device.
struct FusedKernel {
    FusedDescription what;
    FusedConfiguration configuration;
    std::string reason;  ///< why there is none
};
[[nodiscard]] FusedKernel fused_kernel(const Program& program, const ArchitectureLimits& limits);
/// Adds it to a source.
KernelId add_to(KernelSource& source, const Program& program, const FusedKernel& kernel);

/// Of one problem: each input, result and status once.
struct KernelTraffic {
    std::int64_t read_bytes = 0, written_bytes = 0;
    std::int64_t shared_bytes = 0;  ///< read by each block once
};
[[nodiscard]] KernelTraffic traffic_of(const Program& program, const FusedDescription& what);

/// Errors   OperandError for an architecture that is not known; MachineError.
[[nodiscard]] const ArchitectureLimits& known_limits(int architecture);

/// As of Module.
[[nodiscard]] KernelReport report_kernel(const Program& program, int architecture,
                                         std::int64_t batch);

}  // namespace matgrad::gpu
