#pragma once
/// \file The buffers that stream a host batch through one device: a few chunks in device and pinned
/// memory, the shared operands, the workspace, three streams.

#include <cstdint>
#include <vector>

#include "cuda/device_executor.hpp"
#include "cuda/owners.hpp"

namespace matgrad::gpu {

/// Where one chunk lies, in bytes from the start of its slot: operands, results, status. A shared
/// operand has its place in the common part instead.
struct ChunkLayout {
    std::int64_t problems = 0;  ///< room for
    std::vector<std::int64_t> operands, results;
    std::int64_t status = 0;
    std::int64_t slot_bytes = 0;
    std::int64_t common_bytes = 0;
};
[[nodiscard]] ChunkLayout lay_out_chunk(const DeviceExecutor& executor, std::int64_t problems);

/// How a batch is cut.
struct Chunking {
    std::int64_t problems = 0;  ///< in a chunk
    int slots = 1;              ///< chunks under way at once

    bool operator==(const Chunking&) const = default;
};
/// The largest chunks that `free_bytes` allow on the device, and no larger than overlap asks for.
[[nodiscard]] Chunking choose_chunking(const DeviceExecutor& executor, std::int64_t batch,
                                       std::size_t free_bytes);
/// Half of it; false if it cannot be less.
[[nodiscard]] bool make_smaller(Chunking& chunking);
/// Device memory that this chunking takes.
[[nodiscard]] std::int64_t device_bytes(const DeviceExecutor& executor, const Chunking& chunking);

struct HostBuffers {
    /// The executor's device is current. Errors: CudaError.
    HostBuffers(const DeviceExecutor& executor, const Chunking& chunking);
    /// Waits for all work under way.
    ~HostBuffers();
    HostBuffers(const HostBuffers&) = delete;
    HostBuffers& operator=(const HostBuffers&) = delete;

    struct Slot {
        std::byte* device = nullptr;
        std::byte* pinned = nullptr;
        Event uploaded, computed, downloaded;
    };

    Chunking chunking;
    ChunkLayout layout;
    DeviceMemory device;
    PinnedMemory pinned;
    std::byte* common_device = nullptr;
    std::byte* common_pinned = nullptr;
    std::byte* workspace = nullptr;
    Stream upload, compute, download;
    std::vector<Slot> slots;
};

/// Device memory of the buffers that the executor keeps for its next call; 0 if there are none.
[[nodiscard]] std::size_t kept_bytes(const DeviceExecutor& executor);

}  // namespace matgrad::gpu
