#pragma once
/// \file From values to the caller's results: computed in place where that can be, else copied.

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/library/step_run.hpp"
#include "cuda/library/step_setup.hpp"
#include "executor/executor.hpp"

namespace matgrad::gpu {

/// Where a result goes, as the value that holds it is seen; not the transpose where the output is one.
[[nodiscard]] DeviceView result_view(const Program& program, std::size_t output, const Strided& to);

class Results {
public:
    /// `written`: outputs that a fused kernel writes for each problem.
    Results(StepSetup& setup, const std::vector<std::size_t>& written);

    /// The output whose memory the value is computed in, or -1: of the value's type and scope, not
    /// transposed, in rows that a BLAS can write, and not added to what is there.
    [[nodiscard]] int direct_output(ValueId id, const DeviceCall& call) const;

    /// Results of each problem of a slice that begins at `first`.
    void write_slice(StepRun& run, const DeviceCall& call, std::int64_t first) const;
    /// Results that there is one of, and what a mean divides. `failed`: the count of problems that did not
    /// succeed.
    void write_single(StepRun& run, const DeviceCall& call, const std::int64_t* failed) const;
    [[nodiscard]] bool has_means() const;

private:
    struct Output {
        ValueId value = kNoValue;
        bool per_problem = false;
        bool is_mean = false;
        bool may_be_direct = false;
        bool is_written = false;  ///< for each problem, by the fused kernel
        bool is_marked = false;   ///< NaN where a problem failed is written with the value
        KernelId divide = kNoKernel;
    };
    const Program& program_;
    std::vector<Output> outputs_;
};

}  // namespace matgrad::gpu
