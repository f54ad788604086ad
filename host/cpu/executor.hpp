#pragma once
/// \file The CPU executor: runs a Program over a batch, threads over the problems.
///
/// Small problems run in tiles of one SIMD lane per problem (the compact layout); larger ones one at
/// a time (the plain layout), large ones through a BLAS. Which one is decided by the Program alone,
/// so a problem's result does not depend on its place in the batch, on its neighbours or on the
/// number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cpu/layout_choice.hpp"
#include "matgrad/types.hpp"
#include "program/program.hpp"

namespace matgrad {

namespace detail {
struct RunPlan;
}

/// For tests and measurements; what is not asked for is decided by the Program.
struct CpuOptions {
    std::optional<detail::Layout> layout = {};
    bool always_threads = false;  ///< every problem counts as worth a thread
};

/// A Program made ready to run any number of times, from any number of threads at once.
class CpuExecutor {
public:
    /// threads   at least 1
    CpuExecutor(Program program, int threads, const CpuOptions& options = {});
    ~CpuExecutor();
    CpuExecutor(CpuExecutor&&) noexcept;
    CpuExecutor& operator=(CpuExecutor&&) noexcept;

    [[nodiscard]] const Program& program() const noexcept;
    /// What `run` needs as workspace, for any batch.
    [[nodiscard]] std::size_t workspace_bytes() const noexcept;
    /// How the Program is run: layout, tile, threads; one or more lines for --explain.
    [[nodiscard]] std::string explain() const;

    /// Runs `batch` problems; the arguments have been checked by the caller (host/api).
    ///
    /// operands   one per Program::operands, in order
    /// results    one per Program::outputs; per problem, or one matrix where the output is of shared
    ///            or reduced scope: then the sum over the problems that succeeded
    /// status     `batch` entries or empty
    /// Throws     Interrupted if a hook asks for it; nothing else once it has started.
    RunSummary run(std::int64_t batch, std::span<const ConstStrided> operands,
                   std::span<const Strided> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks) const;

private:
    std::unique_ptr<const detail::RunPlan> plan_;
    int threads_;
    CpuOptions options_;
};

}  // namespace matgrad
