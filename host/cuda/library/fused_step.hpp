#pragma once
/// \file The steps of problem scope as one kernel.

#include <memory>
#include <string>
#include <vector>

#include "cuda/fused/configuration.hpp"
#include "cuda/fused/description.hpp"
#include "cuda/library/step_run.hpp"
#include "cuda/library/step_setup.hpp"

namespace matgrad::gpu {

class FusedStep {
public:
    /// Null where nothing is fused; `reason` then says why.
    [[nodiscard]] static std::unique_ptr<const FusedStep> make(StepSetup& setup, GpuExecutor choice,
                                                               std::string& reason);

    /// Only enqueues. The kernel writes statuses, the results of what_.results and the kept values.
    void enqueue(StepRun& run) const;

    [[nodiscard]] const FusedDescription& what() const { return what_; }
    [[nodiscard]] bool does(const Step& step) const;
    /// One line.
    [[nodiscard]] std::string explain() const;

private:
    FusedStep(StepSetup& setup, FusedDescription what, const FusedConfiguration& configuration);

    FusedDescription what_;
    std::vector<ValueId> read_, kept_;
    KernelId kernel_ = kNoKernel;
    int threads_ = 1;
    int teams_ = 1;
    std::int64_t block_bytes_ = 0;
    std::string panels_;  ///< what explain() says of them
};

}  // namespace matgrad::gpu
