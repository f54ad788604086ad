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

}  // namespace

std::int64_t SinglePlan::run(const HostCall& call, std::int64_t first, std::int64_t end) const {
    alignas(kFrameAlignment) std::byte frame[kMostFrameBytes];
    std::int64_t failed = 0;
    for (std::int64_t problem = first; problem < end; ++problem) {
        const std::int64_t row =
            call.rows.empty() ? problem : call.rows[static_cast<std::size_t>(problem)];
        std::memset(frame, 0, static_cast<std::size_t>(cleared_bytes));
        for (const Brought& each : operands) {
            const ConstStrided& from = call.operands[each.operand];
            const auto* data = static_cast<const std::byte*>(from.data);
            each.pack({data + row * from.batch_stride * each.batch_bytes, from.row_stride,
                       from.col_stride},
                      frame, each.to);
        }
        const std::int32_t status = shape_status != 0 ? shape_status : run_steps(*this, frame);
        for (const Given& each : results) {
            const Strided& to = call.results[each.output];
            auto* data = static_cast<std::byte*>(to.data);
            const CallersMatrix result{data + problem * to.batch_stride * each.batch_bytes,
                                       to.row_stride, to.col_stride};
            const double beta = call.beta.empty() ? 0 : call.beta[each.output];
            if (status == 0 && beta == 0) {
                each.unpack(frame, each.from, result);
            } else {
                give_unusual(each, frame,
                             {data + problem * to.batch_stride * each.batch_bytes, type, 1,
                              each.from.rows, each.from.cols, to.row_stride, to.col_stride},
                             beta, status);
            }
        }
        if (!call.status.empty()) {
            call.status[static_cast<std::size_t>(problem)] = status;
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
