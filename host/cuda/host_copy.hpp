#pragma once
/// \file Copies between a caller's strided host memory and contiguous pinned memory.

#include <cstddef>
#include <cstdint>

#include "matgrad/plan.hpp"

namespace matgrad::gpu {

/// Problems [first, first + count) of a batch of rows x cols matrices.
struct HostPart {
    std::int64_t first = 0, count = 0;
    std::int64_t rows = 0, cols = 0;
    ScalarType type = ScalarType::float64;
    [[nodiscard]] std::int64_t bytes() const { return count * rows * cols * size_of(type); }
};

/// Row-major matrices one after the other: then no copy is needed to bring them into that order.
[[nodiscard]] bool is_contiguous(const ConstBatch& batch, std::int64_t rows, std::int64_t cols);

/// Into contiguous memory, and back out of it. `threads` share the work where it is worth it.
void pack(const ConstBatch& from, const HostPart& part, std::byte* to, int threads);
void unpack(const std::byte* from, const HostPart& part, const Batch& to, int threads);

}  // namespace matgrad::gpu
