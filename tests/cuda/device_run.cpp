#include "cuda/device_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "cuda/loader.hpp"

namespace matgrad::test {
namespace {

constexpr std::size_t kGuardBytes = 256;

/// Workspaces are large: one that is done serves the next run.
class WorkspacePool {
public:
    std::unique_ptr<DeviceBuffer> take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        for (std::unique_ptr<DeviceBuffer>& buffer : free_) {
            if (buffer && buffer->size() >= bytes) {
                return std::move(buffer);
            }
        }
        return std::make_unique<DeviceBuffer>(bytes);
    }
    void give_back(std::unique_ptr<DeviceBuffer> buffer) {
        const std::lock_guard lock(mutex_);
        for (std::unique_ptr<DeviceBuffer>& place : free_) {
            if (!place || place->size() < buffer->size()) {
                place.swap(buffer);
                return;
            }
        }
    }

private:
    std::mutex mutex_;
    std::unique_ptr<DeviceBuffer> free_[2];
};

WorkspacePool& workspaces() {
    static auto& pool = *new WorkspacePool;  // never destroyed: the runtime may be gone by then
    return pool;
}

bool all_ones(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(),
                       [](std::byte b) { return b == std::byte{0xff}; });
}

}  // namespace

const gpu::Module& module_under_test() {
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        throw std::runtime_error(why);
    }
    return *module;
}

bool DeviceMatrices::is_unchanged(const Matrices& matrices) const {
    const std::vector<std::byte> now = buffer_.content();
    return std::memcmp(now.data(), matrices.memory().data(), now.size()) == 0;
}

DeviceRun::DeviceRun(const Executor& executor, std::int64_t batch,
                     const std::vector<const Matrices*>& operands_from,
                     const std::vector<Matrices*>& results_to, const CallWishes& wishes)
    : executor_(executor),
      batch_(batch),
      host_operands_(operands_from),
      host_results_(results_to),
      wishes_(wishes),
      rows_(std::as_bytes(std::span(wishes_.rows))),
      status_(static_cast<std::size_t>(batch) * sizeof(std::int32_t) + kGuardBytes),
      workspace_(workspaces().take(executor.workspace_bytes() + kGuardBytes)) {
    for (const Matrices* matrices : host_operands_) {
        inputs_.push_back(operands.emplace_back(*matrices).input());
    }
    for (const Matrices* matrices : host_results_) {
        outputs_.push_back(results.emplace_back(*matrices).output());
    }
}

DeviceCall DeviceRun::call() const {
    DeviceCall call;
    call.batch = batch_;
    call.operands = inputs_;
    call.results = outputs_;
    call.status = reinterpret_cast<std::int32_t*>(status_.data());
    call.workspace = workspace_->data();
    call.workspace_bytes = executor_.workspace_bytes();
    call.beta = wishes_.beta;
    if (!wishes_.rows.empty()) {
        call.rows = reinterpret_cast<const std::int64_t*>(rows_.data());
    }
    return call;
}

void DeviceRun::enqueue(cudaStream_t stream) const {
    DeviceCall what = call();
    what.stream = stream;
    executor_.enqueue(what);
}

void DeviceRun::poison(cudaStream_t stream) {
    status_.fill_with_nan(stream);
    MATGRAD_MUST(cudaMemsetAsync(workspace_->data(), 0xff,
                                 executor_.workspace_bytes() + kGuardBytes, stream));
}

DeviceRun::~DeviceRun() {
    workspaces().give_back(std::move(workspace_));
}

RunResult DeviceRun::finish() {
    for (std::size_t i = 0; i < operands.size(); ++i) {
        EXPECT_TRUE(operands[i].is_unchanged(*host_operands_[i])) << "operand " << i << " written";
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        results[i].download(*host_results_[i]);
        EXPECT_TRUE(host_results_[i]->guards_intact()) << "written outside result " << i;
    }
    const std::vector<std::byte> status = status_.content();
    EXPECT_TRUE(all_ones(std::span(status).last(kGuardBytes))) << "written behind status";
    std::vector<std::byte> behind(kGuardBytes);
    MATGRAD_MUST(cudaMemcpy(behind.data(), workspace_->data() + executor_.workspace_bytes(),
                            kGuardBytes, cudaMemcpyDeviceToHost));
    EXPECT_TRUE(all_ones(behind)) << "written behind the workspace";

    RunResult result;
    result.status.resize(static_cast<std::size_t>(batch_));
    if (batch_ > 0) {
        std::memcpy(result.status.data(), status.data(), status.size() - kGuardBytes);
    }
    result.summary.problems = batch_;
    result.summary.failed = batch_ - std::count(result.status.begin(), result.status.end(), 0);
    return result;
}

RunResult run_on_device(const Executor& executor, std::int64_t batch,
                        const std::vector<const Matrices*>& operands,
                        const std::vector<Matrices*>& results, const CallWishes& wishes) {
    DeviceRun run(executor, batch, operands, results, wishes);
    const TestStream stream;
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    return run.finish();
}

}  // namespace matgrad::test
