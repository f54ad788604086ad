#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "cpu/plain/copy.hpp"
#include "cpu/single/plan.hpp"
#include "cpu/view.hpp"
#include "executor/progress.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {
namespace {

/// Problems that one thread takes at a time.
constexpr std::int64_t kProblemsAtOnce = 64;

View view_of(std::byte* frame, const Placed& m) {
    return {frame + m.at, m.type, 1, m.rows, m.cols, m.row_stride, m.col_stride};
}

/// A result that is added to what is there, or of a problem that failed.
void give_unusual(const SinglePlan::Given& given, std::byte* frame, const View& to, double beta,
                  std::int32_t status) {
    if (status == 0) {
        add_matrix(view_of(frame, given.from), 1, beta, to);
    } else if (beta == 0) {
        fill_matrix(to, std::numeric_limits<double>::quiet_NaN());
    }
}

std::int32_t run_steps(const SinglePlan& plan, std::byte* frame) {
    for (const SingleStep& step : plan.steps) {
        const std::int32_t status = step.run(step, frame);
        if (status != 0) {
            return status;  // the first failure counts
        }
    }
    return 0;
}

void bring_operands(const SinglePlan& plan, const HostCall& call, std::int64_t row,
                    std::byte* frame) {
    for (const SinglePlan::Brought& each : plan.operands) {
        const ConstStrided& from = call.operands[each.operand];
        auto* data = static_cast<std::byte*>(const_cast<void*>(from.data));
        each.pack(
            {data + row * from.batch_stride * each.batch_bytes, from.row_stride, from.col_stride},
            frame, each.to);
    }
}

void give_results(const SinglePlan& plan, const HostCall& call, std::int64_t problem,
                  std::int32_t status, std::byte* frame) {
    for (const SinglePlan::Given& each : plan.results) {
        const Strided& to = call.results[each.output];
        auto* data =
            static_cast<std::byte*>(to.data) + problem * to.batch_stride * each.batch_bytes;
        const double beta = call.beta.empty() ? 0 : call.beta[each.output];
        if (status == 0 && beta == 0) {
            each.unpack(frame, each.from, {data, to.row_stride, to.col_stride});
        } else {
            give_unusual(
                each, frame,
                {data, plan.type, 1, each.from.rows, each.from.cols, to.row_stride, to.col_stride},
                beta, status);
        }
    }
}

}  // namespace

std::int64_t SinglePlan::run(const HostCall& call, std::int64_t first, std::int64_t end) const {
    alignas(kFrameAlignment) std::byte frame[kMostFrameBytes];
    std::byte* const cleared = frame + kMostFrameBytes - cleared_bytes;
    std::int64_t failed = 0;
    for (std::int64_t problem = first; problem < end; ++problem) {
        const auto i = static_cast<std::size_t>(problem);
        // What lies between rows takes part in nothing that is kept; but what a stack holds are often subnormal
        // numbers, and those are slow.
        std::memset(cleared, 0, static_cast<std::size_t>(cleared_bytes));
        bring_operands(*this, call, call.rows.empty() ? problem : call.rows[i], frame);
        const std::int32_t status = shape_status != 0 ? shape_status : run_steps(*this, frame);
        give_results(*this, call, problem, status, frame);
        if (!call.status.empty()) {
            call.status[i] = status;
        }
        failed += status != 0 ? 1 : 0;
    }
    return failed;
}

RunSummary SinglePlan::run_all(const HostCall& call, const RunHooks& hooks, int threads) const {
    if (!hooks.advance && call.batch <= kProblemsAtOnce) {
        return {call.batch, run(call, 0, call.batch)};
    }
    Progress progress(hooks);
    progress.throw_if_stopped(call.batch);
    std::atomic<std::int64_t> failed{0};
    for_each_index(Threads{threads, call.parallel},
                   (call.batch + kProblemsAtOnce - 1) / kProblemsAtOnce, [&](std::int64_t part) {
                       if (progress.stopped()) {
                           return;
                       }
                       const std::int64_t first = part * kProblemsAtOnce;
                       const std::int64_t end = std::min(call.batch, first + kProblemsAtOnce);
                       failed.fetch_add(run(call, first, end), std::memory_order_relaxed);
                       progress.add(end - first);
                   });
    progress.throw_if_stopped(call.batch);
    return {call.batch, failed.load()};
}

}  // namespace matgrad::detail
