#pragma once
/// \file One step on a tile of the compact layout.

#include <cstdint>
#include <vector>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Runs a step of problem scope, any but batch_reduce. `values` holds a view for each value: with
/// kLanes lanes, row-major, for those of problem scope, with one lane and any strides for shared
/// ones. A lane whose factorization fails gets the 1-based number of its first bad pivot in
/// `status[lane]`, unless that is set already.
void run_compact_step(const Step& step, const std::vector<View>& values, Scratch& scratch,
                      std::int32_t* status);

}  // namespace matgrad::detail
