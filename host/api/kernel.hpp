#pragma once
/// \file The fused kernel of a function, without a device: what the command `kernel` prints and writes.

#include <span>
#include <string>
#include <vector>

#include "cuda/module.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Value and gradients, as options.wrt, type and accuracy say; `expected_batch` problems are what the plan and its
/// bound are for.
struct KernelQuestion {
    std::string text;  ///< of f, as it was written
    Expr f;
    std::vector<Operand> operands;
    PlanOptions options;
    int architecture = 90;  ///< for sm_90
};

/// Errors   those of a plan; MachineError without the CUDA module.
[[nodiscard]] gpu::KernelReport report_kernel(const KernelQuestion& question);

/// Random operands that suit the function.
struct KernelData {
    bool positive_entries = false;
    bool small_variables = false;
};

/// Errors   also UnsupportedError where the Program is not one kernel alone.
[[nodiscard]] std::string standalone_kernel(const KernelQuestion& question, const KernelData& data);

}  // namespace matgrad::detail
