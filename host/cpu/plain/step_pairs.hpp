#pragma once
/// \file Two products that read one large matrix, y = A x + ... and z = A' y, as every least-squares
/// gradient has them. Run together, a few rows of A at a time, they read A from memory once.

#include <vector>

#include "cpu/steps/step.hpp"

namespace matgrad::detail {

/// For each of the steps, which run in this order in the plain layout, the place of a later one that
/// may run with it, or -1: what lies between reads nothing of the later one and leaves its memory
/// alone.
[[nodiscard]] std::vector<int> find_step_pairs(const Program& program,
                                               const std::vector<const Step*>& steps);

/// The two of them as one step, whose Program outlives it: together where the matrices lie in memory so
/// that the pair gains by it, else one after the other. The parts are decided by the shape alone.
[[nodiscard]] CpuStepPtr make_pair_step(const Step& first, const Step& second, CpuStepPtr alone,
                                        CpuStepPtr second_alone);

}  // namespace matgrad::detail
