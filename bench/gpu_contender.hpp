#pragma once
/// \file Somebody who computes cases on a GPU: matgrad, or a peer.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/runner.hpp"
#include "cuda/module.hpp"

namespace matgrad::bench {

/// Where a case is computed. Its copies lie one after the other, `copy_bytes` apart.
struct GpuPlace {
    DeviceInfo device;
    gpu::Stopwatch& stopwatch;               ///< gives memory; calls enqueue on its stream
    std::span<const ConstStrided> operands;  ///< of the first copy, uploaded; all copies are alike
    std::span<const Strided> results;        ///< of the first copy
    std::int64_t copies = 1;
    std::size_t copy_bytes = 0;
};

struct GpuContender {
    std::string executor;
    /// Made ready for a case: all that is allocated is allocated here. The call only enqueues, on the
    /// operands and results of any of the copies. It goes before the stopwatch does.
    /// Errors of both: MachineError.
    std::function<Prepared(const Case& c, const GpuPlace& place)> prepare;
    std::function<bool(const Case& c)> offers = [](const Case&) { return true; };
    /// As many copies as it can take turns with.
    std::int64_t most_copies = std::numeric_limits<std::int64_t>::max();
};

/// matgrad: a plan made once, workspace and status reused. `cuda library`, or `cuda`: as a user has it who asks for
/// nothing, fused where that can be.
[[nodiscard]] GpuContender matgrad_on_gpu(GpuExecutor executor = GpuExecutor::library);

/// The same by a plan that may be captured, each copy's work recorded once and replayed.
[[nodiscard]] GpuContender matgrad_graphs_on_gpu(GpuExecutor executor = GpuExecutor::library);

/// Each case is computed by all contenders that offer it, one after the other on the same memory.
/// Errors: MachineError; OperandError for a device that does not exist.
[[nodiscard]] std::unique_ptr<Runner> make_gpu_runner(const Device& device,
                                                      std::vector<GpuContender> contenders);

}  // namespace matgrad::bench
