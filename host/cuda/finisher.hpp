#pragma once
/// \file The few problems of a host batch that a GPU leaves to the processor: run again by an executor of the host, of
/// the same Program.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cuda/host_copy.hpp"
#include "cuda/module.hpp"

namespace matgrad::gpu {

/// What problems run again add to the reduced results of the batch.
struct FinishedPart {
    std::vector<std::vector<double>> sums;  ///< as HostStream::sums
    std::int64_t failed = 0;
};

/// Immutable but for what it keeps; any thread may use it.
class Finisher {
public:
    /// `make` null: nothing is left to it.
    Finisher(const Program& program, MakeExecutor make);

    /// Is a problem with this status run again? Where a root or jitter may give a factor that the GPU did not find.
    [[nodiscard]] bool takes(std::int32_t status) const;
    /// Is there any such status?
    [[nodiscard]] bool takes_any() const { return mends_ || mends_singular_; }
    /// Is a whole chunk run again? Where a problem that has no part in its sums may have been added up before that was
    /// known, or has made a sum of products what is not finite. `results`: by output, those of the chunk.
    [[nodiscard]] bool takes_all(std::span<const std::int32_t> status,
                                 std::span<const std::byte* const> results) const;

    /// Runs the problems of the call again, `problems` in order, of which there may be none: results and status are
    /// replaced, sums returned.
    /// `single_results`: those that there is one of are written too. Allocates its executor at the first call.
    /// Errors: those of Executor::run.
    [[nodiscard]] FinishedPart operator()(const HostCall& call,
                                          std::span<const std::int64_t> problems,
                                          bool single_results, const Copying& copying,
                                          const RunHooks& hooks) const;

    /// Frees the memory that calls have left for later ones.
    void release() const noexcept;

private:
    class Piece;
    [[nodiscard]] const Executor& executor() const;
    [[nodiscard]] std::int64_t result_bytes() const;

    Program program_;  ///< its means are sums: the batch divides
    MakeExecutor make_;
    bool mends_;
    bool mends_singular_;
    bool sums_products_;   ///< over problems and their inner dimension at once
    bool sums_too_early_;  ///< and then finds terms of sums that are not finite
    mutable std::mutex mutex_;
    mutable std::unique_ptr<const Executor> executor_;
};

}  // namespace matgrad::gpu
