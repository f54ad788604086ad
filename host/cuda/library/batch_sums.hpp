#pragma once
/// \file Sums over the batch, in double: each slice adds its own to the totals, which become values
/// when all slices are done.

#include <cstdint>
#include <vector>

#include "cuda/library/step_run.hpp"
#include "cuda/library/step_setup.hpp"

namespace matgrad::gpu {

class BatchSums {
public:
    /// The batch_reduce step that the setup stands at.
    void add(StepSetup& setup, const BatchReduce& step);

    /// Bytes of all totals.
    [[nodiscard]] std::int64_t bytes() const;
    [[nodiscard]] bool empty() const { return sums_.empty(); }

    /// Problems of which the value is a term that is not finite fail; nothing if it is no term, or if its sum alone is
    /// there.
    void mark_not_finite(StepRun& run, ValueId value) const;
    /// The same for terms that no step makes for each problem.
    void mark_given(StepRun& run) const;

    void clear(StepRun& run, std::byte* totals) const;
    /// The problems of the slice that succeeded.
    void add_slice(StepRun& run, std::byte* totals) const;
    void write_values(StepRun& run, std::byte* totals) const;

private:
    struct Sum {
        const Step* step = nullptr;
        Use use;
        ValueId out = kNoValue;
        bool is_given = false;  ///< no step makes it for each problem
        std::int64_t rows = 0, cols = 0;
        std::int64_t first = 0;  ///< in bytes of the totals
        KernelId add = kNoKernel, add_partial = kNoKernel;
    };
    std::vector<Sum> sums_;
};

}  // namespace matgrad::gpu
