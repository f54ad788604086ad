#pragma once
/// \file Compiled kernels and their launches. Every call only enqueues.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/compile.hpp"
#include "cuda/context.hpp"
#include "cuda/device_view.hpp"
#include "cuda/kernel_source.hpp"
#include "cuda/launch_geometry.hpp"
#include "cuda/owners.hpp"

namespace matgrad::gpu {

class Kernels {
public:
    /// Compiles and loads. The context's device is current. Grids of more than `most_blocks` are
    /// launched in pieces.
    Kernels(const Context& context, const KernelSource& source,
            std::int64_t most_blocks = kMostBlocks);

    /// `status`: the results of problem p are NaN if status[p] is of a kind of failure that loses its
    /// numbers; null: no problem failed.
    void map(KernelId id, std::span<const DeviceView> operands, const DeviceView& out,
             std::int64_t batch, cudaStream_t stream, const std::int32_t* status = nullptr) const;
    /// `pivots`: n int32 per problem, counted from 1, one problem after the other; null without.
    void reduce(KernelId id, std::span<const DeviceView> operands, const std::int32_t* pivots,
                const DeviceView& out, std::int64_t batch, cudaStream_t stream,
                const std::int32_t* status = nullptr) const;
    /// totals: rows x cols doubles, row-major. `status` null: all problems count. The order of the
    /// additions depends on `batch` alone. `scratch`: batch_sum_scratch_bytes(rows * cols).
    void batch_sum(KernelId id, const DeviceView& a, const std::int32_t* status, double* totals,
                   std::byte* scratch, std::int64_t batch, cudaStream_t stream) const;
    [[nodiscard]] static std::int64_t batch_sum_scratch_bytes(std::int64_t count);
    /// The sums of segments of the batch are added up by a second launch.
    [[nodiscard]] bool sums_in_two(KernelId id, std::int64_t batch) const;
    /// One int64 in device memory.
    void count_failed(KernelId id, const std::int32_t* status, std::int64_t* failed,
                      std::int64_t batch, cudaStream_t stream) const;
    /// What a fused kernel is given.
    struct FusedCall {
        std::span<const DeviceView> matrices;
        std::span<const double> beta;  ///< one per matrix
        std::int32_t* status = nullptr;
        const std::int32_t* shared_status = nullptr;
        bool status_is_new = false;
    };
    void fused(KernelId id, const FusedCall& call, std::int64_t batch, cudaStream_t stream) const;
    /// `matrices` of them, each by batch - *failed.
    void divide(KernelId id, const DeviceView& view, std::int64_t matrices,
                const std::int64_t* failed, std::int64_t batch, cudaStream_t stream) const;

private:
    void launch(KernelId id, std::int64_t blocks, void* arguments, cudaStream_t stream) const;

    std::vector<KernelInfo> infos_;
    std::int64_t most_blocks_;
    std::vector<std::int64_t>
        resident_;  ///< blocks of each kernel that the device has room for at once
    Library library_;
    std::vector<cudaKernel_t> functions_;
};

}  // namespace matgrad::gpu
