#pragma once
/// \file Memory that calls take in the order of a stream (cudaMallocAsync) and give back at once: free
/// memory before and after does not tell of it.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace matgrad::probe {

/// The default pool of the device. Where devices have no pools, nothing is taken of them.
class Pool {
public:
    Pool();
    /// Begins to look.
    void reset();
    /// Most bytes in use at a time since reset(), without those that were in use then.
    [[nodiscard]] std::int64_t most_used() const;
    /// Most bytes that the pool has taken of the device since, likewise.
    [[nodiscard]] std::int64_t most_reserved() const;

private:
    [[nodiscard]] std::int64_t read(cudaMemPoolAttr attribute) const;

    cudaMemPool_t pool_ = nullptr;
    std::int64_t used_ = 0, reserved_ = 0;
};

}  // namespace matgrad::probe
