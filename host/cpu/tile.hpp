#pragma once
/// \file One thread's share of a run: it takes tiles of problems through the steps.

#include <cstdint>

#include "cpu/run_plan.hpp"
#include "cpu/scratch.hpp"
#include "executor/executor.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {

/// The caller's arguments and what the shared steps made of them; read by all threads.
struct RunData {
    const RunPlan& plan;
    const HostCall& call;
    View* shared;  ///< by value: views of all that are not of problem scope
    Threads threads_per_problem = {};

    [[nodiscard]] double beta(std::size_t output) const {
        return call.beta.empty() ? 0 : call.beta[output];
    }
    /// Which problem of the operands is the problem of the call.
    [[nodiscard]] std::int64_t row(std::int64_t problem) const {
        return call.rows.empty() ? problem : call.rows[static_cast<std::size_t>(problem)];
    }
};

class TileRunner {
public:
    /// `memory` has RunPlan::thread_bytes.
    TileRunner(const RunData& run, std::byte* memory);
    ~TileRunner();
    TileRunner(const TileRunner&) = delete;
    TileRunner& operator=(const TileRunner&) = delete;

    /// Runs problems [first, first + count), count at most plan.tile(). Adds to `sums` what the
    /// batch_reduce steps gather. Returns how many failed.
    std::int64_t operator()(std::int64_t first, std::int64_t count, double* sums);

private:
    std::int64_t run_one_by_one(std::int64_t first, std::int64_t count, double* sums);
    void run_steps(std::int64_t first, std::int64_t count);
    void bring_operands(std::int64_t first, std::int64_t count);
    void bring(const Given& from, std::int64_t first, std::int64_t count);
    /// Of a tile of runs: the values of its problems lie one after the other.
    void bring_run(const Given& from, std::int64_t first, std::int64_t count);
    /// A problem of which a term of a sum is not finite fails, and keeps its own results.
    void mark_not_finite(std::int64_t count);
    /// Returns how many have failed now: of terms that a step has summed, it is seen here that they are not finite.
    std::int64_t add_sums(std::int64_t first, std::int64_t count, std::int64_t failed,
                          double* sums);
    [[nodiscard]] View of_problem(View value, std::int64_t index) const;
    [[nodiscard]] bool are_tile_sums_finite() const;
    void gather(std::int64_t count, std::int64_t failed, double* sums) const;
    void gather_run(const BatchSum& sum, std::int64_t count, std::int64_t failed, double* to) const;
    void write_results(std::int64_t first, std::int64_t count);
    void write(const View& value, const Given& result, std::int64_t first, std::int64_t count);
    /// To beta times what is there, but for problems that failed.
    void add_results(const GivenResult& result, std::int64_t first, std::int64_t count) const;
    /// Of one problem of the tile: what a result of it is made of.
    [[nodiscard]] View source_of(const GivenResult& result, std::int64_t first,
                                 std::int64_t index) const;
    void spoil_failed(std::int64_t first, std::int64_t count);
    [[nodiscard]] bool streams(const View& value) const;
    void write_plain(const View& value, const View& result);
    void write_run(const View& value, const Given& result, std::int64_t first, std::int64_t count);
    void write_compact(const View& value, const Given& result, std::int64_t first,
                       std::int64_t count);
    [[nodiscard]] Given operand(ValueId id) const;
    [[nodiscard]] GivenResult result(std::size_t output) const;
    [[nodiscard]] bool is_computed_there(std::size_t index) const;

    const RunData& run_;
    const RunPlan& plan_;
    View* values_;          // by value
    Given* operands_;       // as plan.operands
    GivenResult* results_;  // as plan.results
    char* streamed_;        // by value: does the step that computes it write past the caches?
    char* followed_;        // by value: StepRun::followed
    std::byte* tile_;
    Scratch scratch_;
    bool adds_ = false;     ///< to what is there
    bool streams_ = false;  ///< something may be written past the caches
    std::int32_t status_[kMostProblems];
};

/// The result of output `index` for one problem, seen with the shape of the value that holds it.
[[nodiscard]] View result_of(const RunData& run, std::size_t index, std::int64_t problem);

}  // namespace matgrad::detail
