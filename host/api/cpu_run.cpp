#include "api/cpu_run.hpp"

#include <limits>
#include <utility>

#include "cpu/executor.hpp"

namespace matgrad::detail {
namespace {

std::size_t round_up(std::size_t bytes) {
    constexpr std::size_t kAlignment = 64;
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::size_t scratch_of(const OutputInfo& info, ScalarType type) {
    return round_up(static_cast<std::size_t>(info.rows * info.cols * size_of(type)));
}

template <typename Action>
void for_each_entry(const OutputInfo& info, const Batch& result, std::int64_t problem,
                    Action&& action) {
    for (std::int64_t i = 0; i < info.rows; ++i) {
        for (std::int64_t j = 0; j < info.cols; ++j) {
            action(i, j,
                   problem * result.batch_stride + i * result.row_stride + j * result.col_stride);
        }
    }
}

/// Every problem gets the matrix all of them share; the failed ones get NaN.
template <typename T>
void spread(const OutputInfo& info, const T* from, const Batch& to, std::int64_t batch,
            std::span<const std::int32_t> status) {
    T* data = static_cast<T*>(to.data);
    for (std::int64_t k = 0; k < batch; ++k) {
        const bool failed = status[static_cast<std::size_t>(k)] != 0;
        for_each_entry(info, to, k, [&](std::int64_t i, std::int64_t j, std::int64_t offset) {
            data[offset] = failed ? std::numeric_limits<T>::quiet_NaN() : from[i * info.cols + j];
        });
    }
}

/// The mean over no problem at all is 0 as its sum is; over failed ones alone it is NaN.
template <typename T>
void divide(const OutputInfo& info, const Batch& result, const RunSummary& summary) {
    if (summary.problems == 0) {
        return;
    }
    const T count = static_cast<T>(summary.problems - summary.failed);
    T* data = static_cast<T*>(result.data);
    for_each_entry(info, result, 0, [&](std::int64_t, std::int64_t, std::int64_t offset) {
        data[offset] = data[offset] / count;
    });
}

}  // namespace

CpuRun::CpuRun(Program program, std::vector<OutputInfo> outputs, std::vector<gpu::OutputForm> forms,
               int threads)
    : executor_(std::move(program), threads),
      outputs_(std::move(outputs)),
      forms_(std::move(forms)),
      executor_bytes_(round_up(executor_.workspace_bytes())) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        scratch_bytes_ += forms_[i].spread ? scratch_of(outputs_[i], this->program().type) : 0;
    }
}

std::string CpuRun::explain() const {
    return executor_.explain();
}

template <typename T>
void CpuRun::finish(std::span<const Batch> computed, std::span<const Batch> results,
                    std::int64_t batch, std::span<const std::int32_t> status,
                    const RunSummary& summary) const {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (forms_[i].spread) {
            spread(outputs_[i], static_cast<const T*>(computed[i].data), results[i], batch, status);
        } else if (forms_[i].mean) {
            divide<T>(outputs_[i], results[i], summary);
        }
    }
}

RunSummary CpuRun::run(std::int64_t batch, std::span<const ConstBatch> operands,
                       std::span<const Batch> results, std::span<std::int32_t> status,
                       std::span<std::byte> workspace, const RunHooks& hooks) const {
    std::vector<Batch> targets(results.begin(), results.end());
    std::byte* scratch = workspace.data() + executor_bytes_;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (forms_[i].spread) {
            targets[i] = Batch::contiguous(scratch, outputs_[i].rows, outputs_[i].cols);
            scratch += scratch_of(outputs_[i], program().type);
        }
    }
    std::vector<std::int32_t> own_status;
    if (scratch_bytes_ > 0 && status.empty()) {
        own_status.resize(static_cast<std::size_t>(batch));
        status = own_status;
    }
    const RunSummary summary =
        executor_.run(batch, operands, targets, status, workspace.first(executor_bytes_), hooks);
    program().type == ScalarType::float32
        ? finish<float>(targets, results, batch, status, summary)
        : finish<double>(targets, results, batch, status, summary);
    return summary;
}

}  // namespace matgrad::detail
