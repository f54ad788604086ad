#pragma once
/// \file What one pass over steps works with: the values of a slice of the batch (or of a single
/// problem, for shared steps), handles, the stream, and scratch.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/context.hpp"
#include "cuda/device_view.hpp"
#include "cuda/kernels.hpp"

namespace matgrad::gpu {

/// The part of the workspace that steps use one after the other.
struct StepMemory {
    void** pointers[3] = {};  ///< one per problem of a slice each
    int* info = nullptr;      ///< one per problem of a slice
    std::byte* scratch = nullptr;
    std::int64_t scratch_bytes = 0;
    std::span<std::byte> host;  ///< for the large factorizations
};

/// Products of parts of the batch that stand for the value of a gemm whose sum alone is used.
struct PartialSums {
    DeviceView view;
    std::int64_t count = 0;  ///< 0: there are none
};

class StepRun {
public:
    const Kernels& kernels;
    const Lease& handles;
    cudaStream_t stream = nullptr;
    std::int64_t batch = 1;
    std::int32_t* status = nullptr;  ///< of each problem; null where nothing can fail
    bool capturing = false;
    bool tf32 = false;
    std::span<const DeviceView> values;
    std::span<std::int64_t* const> wide_pivots;  ///< by value: as the 64-bit library keeps them
    std::span<PartialSums> partial_sums;         ///< by value
    StepMemory memory;

    void begin_step() { taken_ = 0; }
    /// Scratch until the next step begins.
    [[nodiscard]] std::byte* take(std::int64_t bytes);
    /// Row-major, one per problem or one alone (batch stride 0).
    [[nodiscard]] DeviceView take_matrix(ScalarType type, std::int64_t rows, std::int64_t cols,
                                         bool per_problem = true);
    [[nodiscard]] const DeviceView& value(ValueId id) const {
        return values[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] DeviceView view(const Use& use) const { return use_of(use, value(use.value)); }
    /// Problems of a view: 1 where all share it.
    [[nodiscard]] std::int64_t problems(const DeviceView& v) const {
        return v.batch_stride == 0 ? 1 : batch;
    }
    /// to = from, for `count` problems.
    void copy(KernelId kernel, const DeviceView& from, const DeviceView& to,
              std::int64_t count) const;
    /// Array number `index` becomes the addresses of the matrices.
    [[nodiscard]] void** pointers_to(int index, const DeviceView& v) const;

    StepRun(const Kernels& the_kernels, const Lease& the_handles, cudaStream_t the_stream)
        : kernels(the_kernels), handles(the_handles), stream(the_stream) {}

private:
    std::int64_t taken_ = 0;
};

}  // namespace matgrad::gpu
