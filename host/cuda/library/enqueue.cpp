#include "cuda/library/enqueue.hpp"

#include <algorithm>
#include <utility>

#include "batch_state.hpp"
#include "cuda/library/value_views.hpp"

namespace matgrad::gpu {
namespace {

class Enqueue {
public:
    Enqueue(const LibraryPlan& plan, const DeviceCall& call, StepRun& run)
        : plan_(plan),
          call_(call),
          run_(run),
          views_(plan.program, plan.placement, plan.in_place, plan.results, call),
          partial_sums_(plan.program.values.size()),
          runs_backwards_(runs_backwards(plan.program, call)) {
        const Placement& p = plan.placement;
        shared_status_ = plan.can_fail_once ? at<std::int32_t>(p.shared_status) : nullptr;
        failed_ = at<std::int64_t>(p.failed);
        totals_ = at<std::byte>(p.totals);
        for (const std::int64_t offset : p.wide_pivots) {
            wide_pivots_.push_back(offset < 0 ? nullptr : at<std::int64_t>(offset));
        }
        run_.memory.pointers = at<void*>(p.pointers);
        run_.memory.most_arrays = p.pointer_arrays;
        run_.memory.info = at<int>(p.info);
        run_.memory.scratch = at<std::byte>(p.scratch);
        run_.memory.scratch_bytes = p.scratch_bytes;
        run_.values = views_.get();
        run_.wide_pivots = wide_pivots_;
        run_.partial_sums = partial_sums_;
    }

    void operator()() {
        start();
        for (std::int64_t first = 0; first < call_.batch; first += plan_.placement.slice) {
            run_slice(first, std::min(plan_.placement.slice, call_.batch - first));
        }
        finish();
    }

private:
    template <typename T>
    [[nodiscard]] T* at(std::int64_t offset) const {
        return reinterpret_cast<T*>(static_cast<std::byte*>(call_.workspace) + offset);
    }

    /// Products then take the addresses of their matrices. Results that do are computed elsewhere.
    static bool runs_backwards(const Program& program, const DeviceCall& call) {
        if (call.rows != nullptr) {
            return false;  // they are gathered
        }
        for (std::size_t i = 0; i < call.operands.size(); ++i) {
            if (program.operands[i].batched && call.operands[i].batch_stride < 0) {
                return true;
            }
        }
        return false;
    }

    void start() {
        run_.begin_step(nullptr);
        if (plan_.results.has_means() && !call_.sums_for_means) {
            run_.enqueue("count of failures to 0", [&] {
                MATGRAD_CUDA(cudaMemsetAsync(failed_, 0, sizeof(*failed_), run_.stream));
            });
        }
        if (!plan_.can_fail && !plan_.fused && call_.status != nullptr && call_.batch > 0) {
            run_.enqueue("status to 0", [&] {
                MATGRAD_CUDA(cudaMemsetAsync(
                    call_.status, 0, static_cast<std::size_t>(call_.batch) * sizeof(std::int32_t),
                    run_.stream));
            });
        }
        plan_.sums.clear(run_, totals_);
        run_.batch = 1;
        run_.status = {shared_status_, shared_status_ != nullptr, nullptr};
        run_steps(plan_.shared_steps);
        run_.start_status();
    }

    void finish() {
        run_.batch = 1;
        run_.status = {shared_status_, false, nullptr};
        plan_.sums.write_values(run_, totals_);
        run_steps(plan_.final_steps);
        plan_.results.write_single(run_, call_, failed_);
    }

    /// A term that is not finite is marked as soon as it is there, so that what comes later leaves it out.
    void mark_terms(const LibraryPlan::PlannedStep& step) {
        if (step.step->scope == Scope::problem) {
            plan_.sums.mark_not_finite(run_, step.step->out);
        }
    }

    /// Twice: what is noted the first time, the addresses that calls take, is written before the second.
    void run_steps(const std::vector<LibraryPlan::PlannedStep>& steps) {
        run_.forget_pointers();
        const bool takes_addresses =
            runs_backwards_ || std::any_of(steps.begin(), steps.end(),
                                           [](const auto& step) { return step.takes_addresses; });
        if (takes_addresses) {
            OperationLog notes;
            OperationLog* const outer = std::exchange(run_.log, &notes);
            const Statuses status = run_.status;
            run_each(steps);
            run_.log = outer;
            run_.status = status;
            run_.begin_step(nullptr);
            run_.fill_pointers();
        }
        run_each(steps);
        run_.begin_step(nullptr);
    }

    void run_each(const std::vector<LibraryPlan::PlannedStep>& steps) {
        for (const LibraryPlan::PlannedStep& step : steps) {
            if (run_.value(step.step->out).count() > 0) {
                run_.begin_step(step.step);
                step.run->enqueue(run_);
                mark_terms(step);
            }
        }
    }

    void gather_operands(std::int64_t first) {
        run_.begin_step(nullptr);
        for (const ProgramOperand& operand : plan_.program.operands) {
            if (operand.batched) {
                run_.gather(operand_view(plan_.program.value(operand.value), call_),
                            run_.value(operand.value), call_.rows + first);
            }
        }
    }

    void run_fused(std::int64_t first) {
        if (!plan_.fused) {
            return;
        }
        result_views_.clear();
        for (std::size_t i = 0; i < call_.results.size(); ++i) {
            result_views_.push_back(
                from_problem(result_view(plan_.program, i, call_.results[i]), first));
        }
        run_.results = result_views_;
        run_.beta = call_.beta;
        run_.begin_step(nullptr);
        const Statuses before = run_.status;
        if (!plan_.can_fail && call_.status != nullptr) {
            run_.status = {call_.status + first, true, nullptr};  // it writes 0
        }
        plan_.fused->enqueue(run_);
        if (!plan_.can_fail) {
            run_.status = before;
        }
        for (const ValueId id : plan_.fused->what().kept) {
            plan_.sums.mark_not_finite(run_, id);
        }
    }

    void run_slice(std::int64_t first, std::int64_t count) {
        views_.move_to(first);
        std::fill(partial_sums_.begin(), partial_sums_.end(), PartialSums{});
        run_.batch = count;
        if (call_.rows != nullptr) {
            gather_operands(first);
        }
        run_.status = {};
        run_.loses_results = plan_.can_lose_results;
        if (plan_.can_fail) {
            run_.status = {call_.status != nullptr ? call_.status + first
                                                   : at<std::int32_t>(plan_.placement.status),
                           true, shared_status_};
        }
        if (!plan_.can_fail_per_problem) {
            run_.start_status();  // else it is written with the first factor
        }
        plan_.sums.mark_given(run_);
        run_fused(first);
        run_steps(plan_.problem_steps);
        plan_.sums.add_slice(run_, totals_);
        plan_.results.write_slice(run_, call_, first);
        if (plan_.count_failed != kNoKernel && !call_.sums_for_means) {
            run_.enqueue("count of failures", [&] {
                run_.kernels.count_failed(plan_.count_failed, run_.status.data, failed_, count,
                                          run_.stream);
            });
        }
    }

    const LibraryPlan& plan_;
    const DeviceCall& call_;
    StepRun& run_;
    ValueViews views_;
    std::vector<PartialSums> partial_sums_;
    std::vector<DeviceView> result_views_;
    std::vector<std::int64_t*> wide_pivots_;
    bool runs_backwards_;
    std::int32_t* shared_status_ = nullptr;
    std::int64_t* failed_ = nullptr;
    std::byte* totals_ = nullptr;
};

}  // namespace

void enqueue_plan(const LibraryPlan& plan, const DeviceCall& call, StepRun& run) {
    if (run.capturing) {
        // What may not be captured is found out before anything has been.
        (void)record_plan(plan, call, run);
    }
    Enqueue(plan, call, run)();
}

OperationLog record_plan(const LibraryPlan& plan, const DeviceCall& call, StepRun& run) {
    OperationLog log;
    run.log = &log;
    Enqueue(plan, call, run)();
    run.log = nullptr;
    return log;
}

}  // namespace matgrad::gpu
