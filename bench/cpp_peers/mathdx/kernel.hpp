#pragma once
/// \file Which kernel computes a task: its sizes and its text.

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "bench/cpp_peers/mathdx/layout.hpp"
#include "bench/cpp_peers/task.hpp"

namespace matgrad::bench {

struct MathdxKernel {
    block::PeerShape shape;
    int capability;  ///< of the device: 90 for 9.0
    int threads;     ///< of a block, which computes a problem
    std::size_t shared_bytes;
    std::string name;  ///< of the function, as in log_det_gram_64x16_float
};

/// Empty where there is none: for least_squares and bilinear_trace, for a device that cuBLASDx or this
/// peer does not know, and where a problem does not fit the shared memory of a block.
[[nodiscard]] std::optional<MathdxKernel> mathdx_kernel(const PeerTask& task, int capability);

/// The text of kernels of one capability, for NVRTC, which finds the headers of device code by their names.
[[nodiscard]] std::string text_of(std::span<const MathdxKernel> kernels);

}  // namespace matgrad::bench
