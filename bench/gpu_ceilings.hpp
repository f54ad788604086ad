#pragma once
/// \file What a GPU does at most, measured: a copy within its memory, and a large product through its
/// BLAS (the gradient of tr(A*X*B), which is A'*B').

#include "bench/work.hpp"
#include "cuda/module.hpp"

namespace matgrad::bench {

/// Errors: MachineError.
[[nodiscard]] Ceilings measure_gpu_ceilings(const gpu::Module& module, const DeviceInfo& device);

}  // namespace matgrad::bench
