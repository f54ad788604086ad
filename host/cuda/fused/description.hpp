#pragma once
/// \file What of a Program one fused kernel does: its steps of problem scope, what they read from device memory and
/// what they write there. A pure function of the Program.

#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad::gpu {

struct FusedDescription {
    std::vector<const Step*> steps;      ///< in order; none where nothing is fused
    std::vector<ValueId> inputs;         ///< of each problem; read once
    std::vector<ValueId> shared_inputs;  ///< the same for all problems
    std::vector<std::size_t> results;    ///< outputs of the Program that the kernel writes
    /// Written as values, for steps that come later; and results where there are sums over the batch, which
    /// may yet leave a problem out.
    std::vector<ValueId> kept;
    std::vector<char> is_on_chip;  ///< by value: it never reaches device memory
    std::string reason;            ///< why nothing is fused
    [[nodiscard]] bool is_fused() const { return !steps.empty(); }
};

/// A product of which the sum over the batch alone is used stays one product over the batch. Everything else
/// of problem scope is fused, or nothing is.
[[nodiscard]] FusedDescription describe_fused(const Program& program);

}  // namespace matgrad::gpu
