#pragma once
/// \file One thread's share of a run: it takes tiles of problems through the steps.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cpu/run_plan.hpp"
#include "cpu/scratch.hpp"

namespace matgrad::detail {

/// The caller's arguments and what the shared steps made of them; read by all threads.
struct RunData {
    const RunPlan* plan = nullptr;
    std::int64_t batch = 0;
    std::span<const ConstBatch> operands;
    std::span<const Batch> results;
    std::span<std::int32_t> status;
    std::vector<View> shared;  ///< by value: views of all that are not of problem scope
    int threads_per_problem = 1;
};

class TileRunner {
public:
    TileRunner(const RunData& run, std::byte* tile, Scratch scratch);
    ~TileRunner();
    TileRunner(const TileRunner&) = delete;
    TileRunner& operator=(const TileRunner&) = delete;

    /// Runs problems [first, first + count), count at most plan.lanes. Adds to `sums` what the
    /// batch_reduce steps gather. Returns how many failed.
    std::int64_t operator()(std::int64_t first, std::int64_t count, double* sums);

private:
    void run_compact(std::int64_t first, std::int64_t count);
    void run_plain(std::int64_t problem);
    void gather(std::int64_t count, double* sums);
    void write_results(std::int64_t first, std::int64_t count);
    void spoil_failed(std::int64_t first, std::int64_t count);
    [[nodiscard]] bool streams(const View& value) const;
    void write_plain(const View& value, const View& result);

    /// A matrix of the caller's for each problem: where that of problem 0 is.
    struct Given {
        ValueId value;
        View view;
        std::int64_t step;  ///< bytes from one problem to the next

        [[nodiscard]] std::byte* at(std::int64_t problem) const {
            return view.data + problem * step;
        }
        [[nodiscard]] View of(std::int64_t problem) const {
            View v = view;
            v.data = at(problem);
            return v;
        }
    };
    [[nodiscard]] Given operand(ValueId id) const;
    [[nodiscard]] Given result(std::size_t output) const;
    void write_compact(const View& value, const Given& result, std::int64_t first,
                       std::int64_t count);

    /// Steps in the order they run in, and the one that runs with each or null.
    void order_steps();
    struct Turn {
        const Step* step;
        const Step* partner;
    };

    const RunData& run_;
    const RunPlan& plan_;
    Scratch scratch_;
    std::vector<View> values_;
    std::vector<Turn> turns_;      // plain
    std::vector<Given> in_place_;  // plain: operands and results that steps use where they are
    std::vector<Given> gathered_;  // compact: operands that steps read
    std::vector<Given> written_;   // results to be written from values of the tile
    std::vector<std::pair<Given, Given>> copied_;  // operands that are results
    std::vector<Given> results_;                   // all of problem scope
    std::int32_t status_[kLanes] = {};
};

/// The result of output `index` for one problem, seen with the shape of the value that holds it.
[[nodiscard]] View result_of(const RunData& run, std::size_t index, std::int64_t problem);

}  // namespace matgrad::detail
