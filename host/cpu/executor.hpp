#pragma once
/// \file The CPU executor: runs a Program over a batch, threads over the problems.
///
/// Small problems run in tiles of one SIMD lane per problem (the compact layout); larger ones go
/// through a BLAS. Which one is decided by the Program alone, so a problem's result does not depend
/// on its place in the batch, on its neighbours or on the number of threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "matgrad/plan.hpp"
#include "planner/program.hpp"

namespace matgrad {

/// What `run_on_cpu` needs as workspace, for any batch.
[[nodiscard]] std::size_t cpu_workspace_bytes(const Program& program, int threads);

/// How the executor would run this Program: layout, tile, threads; one or more lines for --explain.
[[nodiscard]] std::string explain_cpu(const Program& program, int threads);

/// Runs `batch` problems; the arguments have been checked by the caller (host/api).
///
/// operands   one per Program::operands, in order
/// results    one per Program::outputs; per problem, or one matrix where the output is of shared or
///            reduced scope: then the sum over the problems that succeeded
/// status     `batch` entries or empty
/// threads    at least 1
/// Throws     Interrupted if a hook asks for it; nothing else once it has started.
RunSummary run_on_cpu(const Program& program, std::int64_t batch,
                      std::span<const ConstBatch> operands, std::span<const Batch> results,
                      std::span<std::int32_t> status, std::span<std::byte> workspace, int threads,
                      const RunHooks& hooks);

}  // namespace matgrad
