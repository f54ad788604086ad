#pragma once
/// \file The CPU executor: runs a Program over a batch, threads over the problems.
///
/// Small problems run in tiles of one SIMD lane per problem (the compact layout); larger ones one at
/// a time (the plain layout), large ones through a BLAS. Small ones that are planned for few at a time run in a frame on
/// the stack (single/plan.hpp). Which one is decided by the Program alone, so a problem's result does not depend on its place in the batch, on its neighbours or on the
/// number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cpu/layout_choice.hpp"
#include "executor/executor.hpp"
#include "executor/workspace.hpp"
#include "program/program.hpp"

namespace matgrad {

namespace detail {
struct RunPlan;
struct SinglePlan;
}  // namespace detail

/// For tests and measurements; what is not asked for is decided by the Program.
struct CpuOptions {
    std::optional<detail::Layout> layout = {};
    bool always_threads = false;  ///< every problem counts as worth a thread
    /// By the kernels for single small problems: wherever they can, or never. A layout that is asked for is not that.
    std::optional<bool> single = {};
};

class CpuExecutor final : public Executor {
public:
    /// threads   at least 1
    CpuExecutor(Program program, int threads, const CpuOptions& options = {});
    ~CpuExecutor() override;

    [[nodiscard]] const Program& program() const noexcept override;
    [[nodiscard]] WorkspaceMemory workspace_memory() const noexcept override {
        return WorkspaceMemory::host;
    }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override;
    /// Layout, tile, threads, workspace.
    [[nodiscard]] std::string explain() const override;
    /// Allocates nothing but a workspace where the call brings none and none is kept.
    RunSummary run(const HostCall& call, const RunHooks& hooks) const override;
    /// Whole tiles of that batch.
    [[nodiscard]] std::int64_t part_size(std::int64_t whole) const noexcept override;
    [[nodiscard]] std::size_t part_bytes() const noexcept override;
    void release() const noexcept override { kept_.release(); }

private:
    std::unique_ptr<const detail::RunPlan> plan_;
    std::unique_ptr<const detail::SinglePlan> single_;  ///< in place of it, or null
    int threads_;
    CpuOptions options_;
    mutable detail::KeptWorkspaces kept_;
};

}  // namespace matgrad
