#pragma once
/// \file Generated kernels alone, without a Program: batches in device memory, launches on a stream of
/// their own, what they did in device memory.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cuda/device_memory.hpp"
#include "cuda/kernels.hpp"
#include "executors/build_program.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {

inline constexpr ScalarType kFloat = ScalarType::float32;
inline constexpr ScalarType kDouble = ScalarType::float64;

[[nodiscard]] inline MapInstruction load_of(int operand) {
    return {MapOp::load, operand, -1, 0};
}

/// Compiles and loads for the first device; the text is shown where that fails.
[[nodiscard]] inline gpu::Kernels kernels_of(const gpu::KernelSource& source,
                                             std::int64_t most_blocks = gpu::kMostBlocks) {
    try {
        return gpu::Kernels(gpu::Context(gpu::describe_device(0)), source, most_blocks);
    } catch (const Error& error) {
        ADD_FAILURE() << error.what() << "\n" << source.text();
        throw;
    }
}

/// Matrices in host and in device memory.
class OnDevice {
public:
    OnDevice(ScalarType type, std::int64_t batch, std::int64_t rows, std::int64_t cols,
             Order order = Order::rows, bool reversed_batch = false)
        : type_(type), host(type, batch, rows, cols, order, reversed_batch) {}

    /// The view that kernels take; the host's content goes to the device.
    [[nodiscard]] gpu::DeviceView upload() {
        memory_.emplace(std::as_const(host).memory());
        const ConstStrided strides = host.input();
        return {memory_->data() + host.origin_bytes(),
                type_,
                host.rows(),
                host.cols(),
                strides.row_stride,
                strides.col_stride,
                strides.batch_stride};
    }
    /// The same as one matrix that all problems share.
    [[nodiscard]] gpu::DeviceView upload_shared() {
        gpu::DeviceView view = upload();
        view.batch_stride = 0;
        return view;
    }
    /// After the stream was waited for.
    void download() {
        memory_->download(host.memory());
        EXPECT_TRUE(host.guards_intact());
    }
    [[nodiscard]] ScalarType type() const { return type_; }

private:
    ScalarType type_;
    std::optional<DeviceBuffer> memory_;

public:
    Matrices host;
};

/// A test with a fresh record of launches, and no complaints at its end.
class OnSimulatedGpu : public testing::Test {
protected:
    void SetUp() override { simulated::reset(); }
    void TearDown() override { simulated::expect_no_complaints(); }

    /// Waits, and gives what ran since the last call.
    std::vector<simulated::Launch> finish() {
        stream_.wait();
        std::vector<simulated::Launch> all = simulated::launches();
        std::vector<simulated::Launch> fresh(all.begin() + static_cast<std::ptrdiff_t>(seen_),
                                             all.end());
        seen_ = all.size();
        return fresh;
    }
    [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }

private:
    TestStream stream_;
    std::size_t seen_ = 0;
};

}  // namespace matgrad::test
