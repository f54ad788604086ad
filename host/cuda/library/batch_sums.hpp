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

    void clear(StepRun& run, std::byte* totals) const;
    /// The problems of the slice that succeeded.
    void add_slice(StepRun& run, std::byte* totals) const;
    void write_values(StepRun& run, std::byte* totals) const;

private:
    struct Sum {
        const Step* step = nullptr;
        Use use;
        ValueId out = kNoValue;
        std::int64_t rows = 0, cols = 0;
        std::int64_t first = 0;  ///< in bytes of the totals
        KernelId add = kNoKernel, add_partial = kNoKernel;
    };
    std::vector<Sum> sums_;
};

}  // namespace matgrad::gpu
