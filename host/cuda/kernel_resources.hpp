#pragma once
/// \file What a kernel takes of a multiprocessor, without a device: the limits of an architecture, what ptxas says
/// of a kernel, and how many blocks of it are resident together.

#include <cstdint>
#include <optional>
#include <string>

namespace matgrad::gpu {

/// Of one multiprocessor.
struct ArchitectureLimits {
    int number = 0;  ///< 90 for sm_90
    std::int64_t registers = 0;
    int warps = 0;
    int blocks = 0;
    std::int64_t memory_bytes = 0;        ///< block memory of all its blocks
    std::int64_t block_memory_bytes = 0;  ///< the most that one block may have
};

/// Null for an architecture that is not in the table.
[[nodiscard]] const ArchitectureLimits* limits_of(int architecture);
/// `sm_80, sm_90, sm_100`.
[[nodiscard]] std::string architecture_names();

/// Of one thread, but for the memory.
struct KernelResources {
    std::int64_t registers = 0;
    std::int64_t stack_bytes = 0;
    std::int64_t spill_store_bytes = 0, spill_load_bytes = 0;
    std::int64_t static_bytes = 0;  ///< block memory that the launch does not give
};

/// From the log of NVRTC with --ptxas-options=-v; none where it says nothing of this kernel.
[[nodiscard]] std::optional<KernelResources> resources_of(const std::string& log,
                                                          const std::string& kernel);

struct Occupancy {
    std::int64_t blocks = 0;  ///< of a multiprocessor at once
    std::int64_t warps = 0;
    const char* limit = "";  ///< what allows no more
};

/// `block_bytes`: static and dynamic block memory together.
[[nodiscard]] Occupancy occupancy_of(const ArchitectureLimits& limits, std::int64_t threads,
                                     std::int64_t registers, std::int64_t block_bytes);

}  // namespace matgrad::gpu
