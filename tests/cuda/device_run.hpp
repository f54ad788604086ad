#pragma once
/// \file One enqueue with operands and results that were Matrices on the host.

#include <memory>
#include <vector>

#include "cuda/device_memory.hpp"
#include "cuda/module.hpp"
#include "executors/executor_under_test.hpp"

namespace matgrad::test {

/// The module of the program: linked in, or opened.
[[nodiscard]] const gpu::Module& module_under_test();

/// A copy of Matrices in device memory, guards and all, addressed alike.
class DeviceMatrices {
public:
    explicit DeviceMatrices(const Matrices& matrices)
        : buffer_(matrices.memory()), strides_(matrices.input()), data_(buffer_.data()) {
        data_ += matrices.origin_bytes();
    }
    [[nodiscard]] ConstStrided input() const {
        return {data_, strides_.row_stride, strides_.col_stride, strides_.batch_stride};
    }
    [[nodiscard]] Strided output() const {
        return {data_, strides_.row_stride, strides_.col_stride, strides_.batch_stride};
    }
    /// The start of the copy.
    [[nodiscard]] std::byte* base() const { return buffer_.data(); }
    void upload(const Matrices& matrices) { buffer_.upload(matrices.memory()); }
    void download(Matrices& matrices) const { buffer_.download(matrices.memory()); }
    /// The device holds the very bytes that the host does.
    [[nodiscard]] bool is_unchanged(const Matrices& matrices) const;

private:
    DeviceBuffer buffer_;
    ConstStrided strides_;
    std::byte* data_;
};

/// All that one enqueue needs, on the current device.
class DeviceRun {
public:
    DeviceRun(const Executor& executor, std::int64_t batch,
              const std::vector<const Matrices*>& operands, const std::vector<Matrices*>& results,
              const CallWishes& wishes = {});
    DeviceRun(const DeviceRun&) = delete;
    DeviceRun& operator=(const DeviceRun&) = delete;
    /// Nothing is under way any more.
    ~DeviceRun();

    /// To be changed at will before `enqueue`.
    [[nodiscard]] DeviceCall call() const;
    void enqueue(cudaStream_t stream) const;
    /// Fills workspace and status with NaN bytes, ordered before what follows on the stream.
    void poison(cudaStream_t stream);
    /// Downloads, after the stream was waited for: results into their Matrices. Fails the test if
    /// operands, guards, or bytes behind status or workspace have changed.
    RunResult finish();

    std::vector<DeviceMatrices> operands, results;

private:
    const Executor& executor_;
    std::int64_t batch_;
    std::vector<const Matrices*> host_operands_;
    std::vector<Matrices*> host_results_;
    std::vector<ConstStrided> inputs_;
    std::vector<Strided> outputs_;
    CallWishes wishes_;
    DeviceBuffer rows_;
    DeviceBuffer status_;
    std::unique_ptr<DeviceBuffer> workspace_;
};

/// Poisons, enqueues once on a stream of its own, waits and downloads.
RunResult run_on_device(const Executor& executor, std::int64_t batch,
                        const std::vector<const Matrices*>& operands,
                        const std::vector<Matrices*>& results, const CallWishes& wishes = {});

}  // namespace matgrad::test
