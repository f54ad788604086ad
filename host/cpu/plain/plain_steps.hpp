#pragma once
/// \file One step on matrices in plain memory, through the BLAS.

#include <cstdint>
#include <vector>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Runs any step but batch_reduce. `values` holds a view for each value; results are row-major
/// with unit column stride, operands have any strides. A large step uses up to `threads` threads.
/// Returns 0, or the 1-based number of the first bad pivot.
std::int32_t run_plain_step(const Step& step, const std::vector<View>& values, Scratch& scratch,
                            int threads);

}  // namespace matgrad::detail
