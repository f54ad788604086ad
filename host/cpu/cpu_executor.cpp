#include "cpu/cpu_executor.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "cpu/divide.hpp"
#include "cpu/executor.hpp"
#include "cpu/scratch.hpp"
#include "cpu/view.hpp"
#include "executor/workspace.hpp"
#include "program/uses.hpp"

namespace matgrad {
namespace {

using detail::align_up;

/// Runs the Program, then finishes what a CpuExecutor leaves: an output with `repeated` is computed into
/// scratch and written for every problem, one with `mean` is divided.
class FinishingExecutor final : public Executor {
public:
    FinishingExecutor(Program program, int threads)
        : executor_(std::move(program), threads),
          program_(executor_.program()),
          run_bytes_(align_up(static_cast<std::int64_t>(executor_.workspace_bytes()))),
          bytes_(run_bytes_),
          threads_(threads) {
        for (const ProgramOutput& output : program_.outputs) {
            repeats_ = repeats_ || output.repeated;
            bytes_ += output.repeated ? result_bytes(output) : 0;
        }
    }

    [[nodiscard]] const Program& program() const noexcept override { return program_; }
    [[nodiscard]] WorkspaceMemory workspace_memory() const noexcept override {
        return WorkspaceMemory::host;
    }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
        return static_cast<std::size_t>(bytes_);
    }
    [[nodiscard]] std::string explain() const override { return executor_.explain(); }

    RunSummary run(const HostCall& call, const RunHooks& hooks) const override {
        if (call.workspace.empty()) {
            const detail::Workspace own(workspace_bytes());
            HostCall with_workspace = call;
            with_workspace.workspace = own.span();
            return run_in_workspace(with_workspace, hooks);
        }
        return run_in_workspace(call, hooks);
    }

private:
    [[nodiscard]] std::int64_t result_bytes(const ProgramOutput& output) const {
        return align_up(program_.value(output.value).count() * size_of(program_.type));
    }

    /// The shape of a result: of its value, transposed if the output is.
    [[nodiscard]] detail::View result_view(const ProgramOutput& output, const Strided& to) const {
        const Value& value = program_.value(output.value);
        detail::View view{static_cast<std::byte*>(to.data),
                          program_.type,
                          1,
                          value.rows.size,
                          value.cols.size,
                          to.row_stride,
                          to.col_stride};
        if (output.transposed) {
            std::swap(view.rows, view.cols);
        }
        return view;
    }

    RunSummary run_in_workspace(const HostCall& call, const RunHooks& hooks) const {
        const auto run_bytes = static_cast<std::size_t>(run_bytes_);
        if (!repeats_) {
            const RunSummary summary = executor_.run(call.batch, call.operands, call.results,
                                                     call.status, call.workspace, hooks);
            divide_means(call, summary);
            return summary;
        }
        std::vector<Strided> targets(call.results.begin(), call.results.end());
        std::byte* scratch = call.workspace.data() + run_bytes;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const ProgramOutput& output = program_.outputs[i];
            if (output.repeated) {
                const detail::View view = result_view(output, targets[i]);
                targets[i] = Strided::contiguous(scratch, view.rows, view.cols);
                scratch += result_bytes(output);
            }
        }
        std::vector<std::int32_t> own_status(
            call.status.empty() ? static_cast<std::size_t>(call.batch) : 0);
        const std::span<std::int32_t> status = call.status.empty() ? own_status : call.status;
        const RunSummary summary = executor_.run(call.batch, call.operands, targets, status,
                                                 call.workspace.first(run_bytes), hooks);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (program_.outputs[i].repeated) {
                repeat(result_view(program_.outputs[i], targets[i]),
                       result_view(program_.outputs[i], call.results[i]),
                       call.results[i].batch_stride, status);
            }
        }
        divide_means(call, summary);
        return summary;
    }

    /// Every problem gets the one matrix; those that failed get NaN.
    static void repeat(const detail::View& from, detail::View to, std::int64_t batch_stride,
                       std::span<const std::int32_t> status) {
        for (const std::int32_t pivot : status) {
            detail::with_type(from.type, [&](auto zero) {
                using T = decltype(zero);
                for (std::int64_t r = 0; r < from.rows; ++r) {
                    for (std::int64_t c = 0; c < from.cols; ++c) {
                        *reinterpret_cast<T*>(to.at(r, c)) =
                            pivot != 0 ? std::numeric_limits<T>::quiet_NaN()
                                       : *reinterpret_cast<const T*>(from.at(r, c));
                    }
                }
            });
            to.data += batch_stride * size_of(to.type);
        }
    }

    /// The mean over no problem at all is 0 as its sum is; over failed ones alone it is NaN.
    void divide_means(const HostCall& call, const RunSummary& summary) const {
        for (std::size_t i = 0; i < program_.outputs.size() && summary.problems > 0; ++i) {
            const ProgramOutput& output = program_.outputs[i];
            if (output.mean) {
                detail::divide_matrices(result_view(output, call.results[i]),
                                        is_per_problem(program_, output) ? call.batch : 1,
                                        call.results[i].batch_stride,
                                        summary.problems - summary.failed, threads_);
            }
        }
    }

    CpuExecutor executor_;
    const Program& program_;
    std::int64_t run_bytes_;
    std::int64_t bytes_;
    int threads_;
    bool repeats_ = false;
};

}  // namespace

std::unique_ptr<const Executor> make_cpu_executor(Program program, int threads) {
    return std::make_unique<FinishingExecutor>(std::move(program), threads);
}

}  // namespace matgrad
