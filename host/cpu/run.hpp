#pragma once
/// \file A batch through its plan: shared steps, tiles on threads, sums over the batch, single results.

#include <cstddef>

#include "cpu/run_plan.hpp"
#include "executor/executor.hpp"

namespace matgrad::detail {

/// workspace       has room for `most_workers` tiles at once
/// always_threads  however little work there is
/// Errors          std::bad_alloc where OpenBLAS has no buffer; those of the hooks
RunSummary run_batch(const RunPlan& plan, const HostCall& call, std::byte* workspace, int threads,
                     int most_workers, bool always_threads, const RunHooks& hooks);

}  // namespace matgrad::detail
