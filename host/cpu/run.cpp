#include "cpu/run.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>
#include <optional>
#include <vector>

#include "cpu/batch_sums.hpp"
#include "cpu/divide.hpp"
#include "cpu/plain/blas.hpp"
#include "cpu/plain/blas_memory.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/scratch.hpp"
#include "cpu/tile.hpp"
#include "executor/progress.hpp"
#include "executor/workers.hpp"
#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// Work between two reports of progress, by the size of the tiles it takes. An atomic addition waits
/// for the results that are on their way to memory, so it must be rare.
constexpr std::int64_t kReportBytes = 256 << 10;
/// Nanoseconds of work for which another thread is called.
constexpr double kWorthAThread = 5000;

/// A run from the first shared step to the last result.
class Run {
public:
    /// The workspace has room for `most_workers` tiles at once.
    Run(const RunPlan& plan, const HostCall& call, std::byte* workspace, int threads,
        int most_workers, bool always_threads, const RunHooks& hooks)
        : plan_(plan),
          call_(call),
          part_(call.part != nullptr ? *call.part : BatchPart{0, call.batch, 0, {}}),
          workspace_(workspace),
          threads_{threads, call.parallel},
          most_workers_(most_workers),
          nanoseconds_(always_threads ? std::numeric_limits<double>::infinity()
                                      : plan.choice.nanoseconds),
          progress_(hooks),
          data_{plan, call,
                reinterpret_cast<View*>(workspace + plan.shared_bytes + plan.sums_bytes)} {
        if (plan.calls_blas) {
            blas_threads_.emplace();
            threads_.count = reserve_blas_buffers(threads_.count);
            if (threads_.count == 0) {
                throw std::bad_alloc();
            }
        }
        make_shared_views();
    }

    RunSummary operator()() {
        progress_.throw_if_stopped(call_.batch);
        const std::int32_t status =
            succeeded(plan_.shape_status) ? run_once(plan_.shared_steps) : plan_.shape_status;
        if (!succeeded(status)) {
            return fail_all(status);
        }
        run_tiles();
        progress_.throw_if_stopped(call_.batch);
        if (part_.is_last(call_.batch)) {
            hand_over_sums();
            (void)run_once(plan_.final_steps);
            write_single_results();
        }
        divide_means();
        return {call_.batch, failed_.load()};
    }

private:
    void make_shared_views() {
        for (const ValueId id : plan_.single_values) {
            const auto i = static_cast<std::size_t>(id);
            const Value& value = plan_.program.values[i];
            View view = plan_.views[i];
            if (value.operand >= 0) {
                const ConstStrided& from = call_.operands[static_cast<std::size_t>(value.operand)];
                view.data = static_cast<std::byte*>(const_cast<void*>(from.data));
                view.row_stride = from.row_stride;
                view.col_stride = from.col_stride;
            } else {
                view.data = workspace_ + plan_.slots[i];
            }
            new (data_.shared + i) View(view);
        }
    }

    /// Those of the segments that are finished.
    [[nodiscard]] double* total() const {
        return reinterpret_cast<double*>(call_.part != nullptr ? part_.sums.data()
                                                               : workspace_ + plan_.shared_bytes);
    }
    [[nodiscard]] double* sums_of(std::int64_t segment) const {
        return total() + (1 + segment % plan_.segments) * plan_.sum_count;
    }
    [[nodiscard]] std::byte* memory_of(int thread) const {
        return workspace_ + plan_.shared_bytes + plan_.sums_bytes + plan_.views_bytes +
               thread * plan_.thread_bytes();
    }

    /// On values that all problems share. Returns their status.
    std::int32_t run_once(const std::vector<CpuStepPtr>& steps) {
        if (steps.empty()) {
            return 0;
        }
        Scratch scratch(memory_of(0) + plan_.views_bytes + plan_.tile_bytes, plan_.scratch_bytes);
        std::int32_t status = 0;
        const StepRun run{data_.shared, &scratch, &status, 1, threads_};
        for (const CpuStepPtr& step : steps) {
            step->run(run);
        }
        return status;
    }

    /// A sum over no problem is zero.
    static void add_nothing(double beta, const View& to) {
        static constexpr double kZero = 0;
        auto* zero = reinterpret_cast<std::byte*>(const_cast<double*>(&kZero));
        add_matrix({zero, ScalarType::float64, 1, to.rows, to.cols, 0, 0}, 1, beta, to);
    }

    /// A factorization that all problems share has failed.
    RunSummary fail_all(std::int32_t status) {
        std::fill(call_.status.begin(), call_.status.end(), status);
        for (std::size_t i = 0; i < call_.results.size(); ++i) {
            const ProgramOutput& output = plan_.program.outputs[i];
            const bool per_problem = is_per_problem(plan_.program, output);
            const std::int64_t matrices = per_problem ? call_.batch : 1;
            const bool is_sum = plan_.value(output.value).scope == Scope::reduced &&
                                !(output.mean && call_.batch > 0);
            for (std::int64_t problem = 0; problem < matrices; ++problem) {
                const View to = result_of(data_, i, problem);
                if (is_sum) {
                    add_nothing(data_.beta(i), to);
                } else if (data_.beta(i) == 0) {
                    fill_matrix(to, kNan);
                }
            }
        }
        return {call_.batch, call_.batch};
    }

    /// The batch in segments: with sums, segments that the whole batch alone decides; without, small ones.
    void run_tiles() {
        const bool idle =
            plan_.segments == 0 && !plan_.writes_problems && plan_.choice.steps.empty();
        if (call_.batch == 0 || idle) {
            if (!call_.status.empty()) {
                std::fill(call_.status.begin(), call_.status.end(), 0);
            }
            return;
        }
        tile_ = plan_.tile_of(part_.whole);
        if (part_.whole <= tile_) {
            segment_size_ = tile_;
            end_segment_ = 1;
            data_.threads_per_problem = threads_;
            work(0);
            return add_finished(0, 1);
        }
        segment_size_ = plan_.segments > 0 ? plan_.segment_of(part_.whole) : small_segment();
        const std::int64_t first = offset() / segment_size_;
        const std::int64_t end = (offset() + call_.batch + segment_size_ - 1) / segment_size_;
        const std::int64_t at_once = plan_.segments > 0 ? plan_.segments : end;
        for (std::int64_t at = first; at < end && !progress_.stopped(); at += at_once) {
            run_segments(at, std::min(end, at + at_once));
        }
    }

    /// Where no sums are kept the parts of a batch are apart.
    [[nodiscard]] std::int64_t offset() const { return plan_.segments > 0 ? part_.first : 0; }
    [[nodiscard]] std::int64_t small_segment() const {
        const std::int64_t tiles = (call_.batch + tile_ - 1) / tile_;
        const std::int64_t wanted = std::int64_t{threads_.count} * 32;
        return (tiles + wanted - 1) / wanted * tile_;
    }

    void run_segments(std::int64_t first, std::int64_t end) {
        next_segment_ = first;
        first_segment_ = first;
        end_segment_ = end;
        const std::int64_t problems = std::min(call_.batch, (end - first) * segment_size_);
        const double worth = 1 + nanoseconds_ * static_cast<double>(problems) / kWorthAThread;
        const auto workers = static_cast<int>(
            std::min<double>({static_cast<double>(std::min(threads_.count, most_workers_)),
                              static_cast<double>(end - first), worth}));
        if (workers == 1) {
            data_.threads_per_problem = threads_;
            work(0);
        } else {
            // A caller's pool need not bear calls from within its work.
            data_.threads_per_problem = Threads{};
            if (threads_.pool == nullptr) {
                data_.threads_per_problem.count = threads_.count / workers;
            }
            threads_.run(workers, [this](int worker) { work(worker); });
        }
        add_finished(first, end);
    }

    void work(int thread) {
        TileRunner run_tile(data_, memory_of(thread));
        if (end_segment_ - first_segment_ == 1) {
            // An atomic addition is not nothing beside one small problem.
            return run_segment(first_segment_, run_tile);
        }
        for (std::int64_t segment = next_segment_.fetch_add(1);
             segment < end_segment_ && !progress_.stopped(); segment = next_segment_.fetch_add(1)) {
            run_segment(segment, run_tile);
        }
    }

    void run_segment(std::int64_t segment, TileRunner& run_tile) {
        double* sums = plan_.segments > 0 ? sums_of(segment) : nullptr;
        const std::int64_t start = segment * segment_size_ - offset();
        if (sums != nullptr && start >= 0) {
            std::fill_n(sums, plan_.sum_count, 0.0);
        }
        const std::int64_t begin = std::max(start, std::int64_t{0});
        const std::int64_t end = std::min(call_.batch, start + segment_size_);
        const std::int64_t tile_bytes = std::max<std::int64_t>(plan_.tile_bytes, 4096);
        std::int64_t failed = 0;
        std::int64_t unreported = 0;
        for (std::int64_t at = begin; at < end; at += tile_) {
            if (progress_.stopped()) {
                return;
            }
            const std::int64_t count = std::min(tile_, end - at);
            failed += run_tile(at, count, sums);
            unreported += count;
            if (unreported * tile_bytes >= kReportBytes * plan_.tile()) {
                progress_.add(unreported);
                unreported = 0;
            }
        }
        progress_.add(unreported);
        if (failed > 0) {
            failed_.fetch_add(failed, std::memory_order_relaxed);
        }
    }

    /// The sums of segments, in order, to those of all before them. The last may go on in the next part.
    void add_finished(std::int64_t first, std::int64_t end) {
        if (plan_.segments == 0) {
            return;
        }
        const std::int64_t done = part_.first + call_.batch;
        if (done < part_.whole) {
            end = std::min(end, done / segment_size_);
        }
        static constexpr std::int64_t kPart = 4096;
        for_each_index(threads_, (plan_.sum_count + kPart - 1) / kPart, [&](std::int64_t part) {
            const std::int64_t at = part * kPart;
            const std::int64_t count = std::min(kPart, plan_.sum_count - at);
            for (std::int64_t segment = first; segment < end; ++segment) {
                if (segment == 0) {
                    std::copy_n(sums_of(0) + at, count, total() + at);
                    continue;
                }
                add_matrices(ScalarType::float64,
                             reinterpret_cast<const std::byte*>(sums_of(segment) + at), 1, count,
                             total() + at);
            }
        });
    }

    /// The sums of the batch as values.
    void hand_over_sums() {
        if (plan_.segments == 0) {
            return;
        }
        if (part_.whole == 0) {
            std::fill_n(total(), plan_.sum_count, 0.0);
        }
        for (const BatchSum& sum : plan_.sums) {
            const View to = data_.shared[static_cast<std::size_t>(sum.out)];
            copy_matrix(row_major(reinterpret_cast<std::byte*>(total() + sum.first),
                                  ScalarType::float64, to.rows, to.cols, 1),
                        to);
        }
    }

    void write_single_results() {
        for (const std::size_t i : plan_.single_results) {
            const ProgramOutput& output = plan_.program.outputs[i];
            const View to = result_of(data_, i, 0);
            // The mean over no problem at all is 0 as its sum is.
            const std::int64_t succeeded = part_.whole - part_.failed_before - failed_.load();
            const auto divisor =
                output.mean && part_.whole > 0 ? static_cast<double>(succeeded) : 1;
            if (divisor > 0) {
                add_matrix(data_.shared[static_cast<std::size_t>(output.value)], divisor,
                           data_.beta(i), to);
            } else if (data_.beta(i) == 0) {
                fill_matrix(to, kNan);
            }
        }
    }

    /// Of each problem: their divisor is known last. There is no beta here.
    void divide_means() {
        for (std::size_t i = 0; i < call_.results.size(); ++i) {
            const ProgramOutput& output = plan_.program.outputs[i];
            if (output.mean && is_per_problem(plan_.program, output)) {
                divide_matrices(result_of(data_, i, 0), call_.batch, call_.results[i].batch_stride,
                                call_.batch - failed_.load(), threads_);
            }
        }
    }

    static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

    const RunPlan& plan_;
    const HostCall& call_;
    BatchPart part_;  ///< all of it, where the call is no part
    std::byte* workspace_;
    Threads threads_;
    int most_workers_;
    double nanoseconds_;  ///< predicted, of a problem on one thread
    Progress progress_;
    RunData data_;
    std::optional<BlasThreads> blas_threads_;
    std::int64_t tile_ = 1;  ///< problems of a tile
    std::int64_t segment_size_ = 1;
    std::int64_t first_segment_ = 0;  ///< of those that are run now
    std::int64_t end_segment_ = 0;
    std::atomic<std::int64_t> next_segment_{0};
    std::atomic<std::int64_t> failed_{0};
};

}  // namespace

RunSummary run_batch(const RunPlan& plan, const HostCall& call, std::byte* workspace, int threads,
                     int most_workers, bool always_threads, const RunHooks& hooks) {
    return Run(plan, call, workspace, threads, most_workers, always_threads, hooks)();
}

}  // namespace matgrad::detail
