#pragma once
/// \file Copies between a caller's strided host memory and contiguous pinned memory.

#include <cstddef>
#include <cstdint>
#include <span>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// Problems [first, first + count) of a batch of rows x cols matrices.
struct HostPart {
    std::int64_t first = 0, count = 0;
    std::int64_t rows = 0, cols = 0;
    ScalarType type = ScalarType::float64;
    [[nodiscard]] std::int64_t bytes() const { return count * rows * cols * size_of(type); }
};

/// True for row-major matrices one after the other.
[[nodiscard]] bool is_contiguous(const ConstStrided& batch, std::int64_t rows, std::int64_t cols);

/// The threads that copy, where the bytes are worth them. Without run_workers the caller copies alone.
struct Copying {
    int threads = 1;
    RunWorkers run_workers = nullptr;
    const Parallel* pool = nullptr;  ///< the caller's, in place of run_workers
};

/// Into contiguous memory. `rows` empty: problem p of the part is problem p of `from`, else rows[p].
void pack(const ConstStrided& from, const HostPart& part, std::byte* to, const Copying& copying,
          std::span<const std::int64_t> rows = {});

/// How what comes out of contiguous memory is added to what is there.
struct Adding {
    double beta = 0;  ///< 0: it is not
    /// Of each problem of the part: one that failed leaves what is there. Null: none failed.
    const std::int32_t* status = nullptr;
};
/// Back out of contiguous memory.
void unpack(const std::byte* from, const HostPart& part, const Strided& to, const Copying& copying,
            const Adding& adding = {});
/// Divides the entries of a part of the caller's memory.
void divide(const HostPart& part, const Strided& at, std::int64_t by, const Copying& copying);

}  // namespace matgrad::gpu
