#pragma once
/// \file The plans of a function, by the sizes of their operands and the names of their results.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call_sizes.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Bounded: the plan that was longest not asked for goes first. Threads may share it.
class PlanCache {
public:
    explicit PlanCache(std::size_t most) : most_(most) {}

    /// The plan kept for these sizes and outputs; an empty one if there is none. A plan serves batches of one
    /// order of magnitude.
    [[nodiscard]] Plan find(const CallSizes& sizes, std::span<const std::string_view> outputs);
    /// Keeps a plan for the next call; the one to be used, which is another thread's if that came first.
    [[nodiscard]] Plan keep(const CallSizes& sizes, std::span<const std::string_view> outputs,
                            const Plan& plan);
    void release();

private:
    struct Entry {
        std::vector<SizedOperand> operands;
        ScalarType type;
        int magnitude;
        std::vector<std::string> outputs;
        Plan plan;
        std::uint64_t used;
        [[nodiscard]] bool is_for(const CallSizes& sizes, int of_batch,
                                  std::span<const std::string_view> names) const;
    };

    [[nodiscard]] Plan find_locked(const CallSizes& sizes,
                                   std::span<const std::string_view> outputs);

    std::size_t most_;
    std::mutex mutex_;
    std::uint64_t clock_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace matgrad::detail
