#pragma once
/// \file Two products that read one large matrix, y = A x + ... and z = A' y, as every least-squares
/// gradient has them. Run together, a few rows of A at a time, they read A from memory once.

#include <vector>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// For each of the steps, which run in this order in the plain layout, the place of a later one that
/// may run with it, or -1: what lies between reads nothing of the later one and leaves its memory
/// alone.
[[nodiscard]] std::vector<int> find_step_pairs(const Program& program,
                                               const std::vector<const Step*>& steps);

/// Do the matrices lie in memory so that the pair gains by it?
[[nodiscard]] bool can_run_pair(const Step& first, const Step& second,
                                const std::vector<View>& values);

/// Both steps. `scratch` has room for the scratch of each. The parts are decided by the shape alone.
void run_step_pair(const Step& first, const Step& second, const std::vector<View>& values,
                   Scratch& scratch, int threads);

}  // namespace matgrad::detail
