#include "cuda/library/enqueue.hpp"

#include <algorithm>

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
          views_(plan.program, plan.placement, plan.results, call),
          partial_sums_(plan.program.values.size()) {
        const Placement& p = plan.placement;
        shared_status_ = plan.can_fail ? at<std::int32_t>(p.shared_status) : nullptr;
        failed_ = at<std::int64_t>(p.failed);
        totals_ = at<std::byte>(p.totals);
        for (const std::int64_t offset : p.wide_pivots) {
            wide_pivots_.push_back(offset < 0 ? nullptr : at<std::int64_t>(offset));
        }
        for (std::size_t i = 0; i < std::size(p.pointers); ++i) {
            run_.memory.pointers[i] = at<void*>(p.pointers[i]);
        }
        run_.memory.info = at<int>(p.info);
        run_.memory.scratch = at<std::byte>(p.scratch);
        run_.memory.scratch_bytes = p.scratch_bytes;
        run_.values = views_.get();
        run_.wide_pivots = wide_pivots_;
        run_.partial_sums = partial_sums_;
    }

    void operator()() {
        MATGRAD_CUDA(cudaMemsetAsync(failed_, 0, sizeof(*failed_), run_.stream));
        plan_.sums.clear(totals_, run_.stream);
        if (shared_status_ != nullptr) {
            start_status(shared_status_, nullptr, 1, run_.stream);
        }
        run_once(plan_.shared_steps);
        for (std::int64_t first = 0; first < call_.batch; first += plan_.placement.slice) {
            run_slice(first, std::min(plan_.placement.slice, call_.batch - first));
        }
        run_.batch = 1;
        run_.status = shared_status_;
        plan_.sums.write_values(run_, totals_);
        run_once(plan_.final_steps);
        plan_.results.write_single(run_, call_.results, failed_, call_.batch);
    }

private:
    template <typename T>
    [[nodiscard]] T* at(std::int64_t offset) const {
        return reinterpret_cast<T*>(static_cast<std::byte*>(call_.workspace) + offset);
    }

    void run_once(const std::vector<LibraryPlan::PlannedStep>& steps) {
        run_.batch = 1;
        run_.status = shared_status_;
        run_steps(steps);
    }

    void run_steps(const std::vector<LibraryPlan::PlannedStep>& steps) {
        for (const LibraryPlan::PlannedStep& step : steps) {
            if (run_.value(step.step->out).count() > 0) {
                run_.begin_step();
                step.run->enqueue(run_);
            }
        }
    }

    void run_slice(std::int64_t first, std::int64_t count) {
        views_.move_to(first);
        std::fill(partial_sums_.begin(), partial_sums_.end(), PartialSums{});
        run_.batch = count;
        std::int32_t* const status = call_.status != nullptr
                                         ? call_.status + first
                                         : at<std::int32_t>(plan_.placement.status);
        if (plan_.can_fail || call_.status != nullptr) {
            start_status(status, shared_status_, count, run_.stream);
        }
        run_.status = plan_.can_fail ? status : nullptr;
        run_steps(plan_.problem_steps);
        plan_.sums.add_slice(run_, totals_);
        plan_.results.write_slice(run_, call_.results, first);
        if (plan_.count_failed != kNoKernel) {
            run_.kernels.count_failed(plan_.count_failed, status, failed_, count, run_.stream);
        }
    }

    const LibraryPlan& plan_;
    const DeviceCall& call_;
    StepRun& run_;
    ValueViews views_;
    std::vector<PartialSums> partial_sums_;
    std::vector<std::int64_t*> wide_pivots_;
    std::int32_t* shared_status_ = nullptr;
    std::int64_t* failed_ = nullptr;
    std::byte* totals_ = nullptr;
};

}  // namespace

void enqueue_plan(const LibraryPlan& plan, const DeviceCall& call, StepRun& run) {
    Enqueue(plan, call, run)();
}

}  // namespace matgrad::gpu
