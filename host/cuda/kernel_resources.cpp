#include "cuda/kernel_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <regex>

#include "cuda/launch_geometry.hpp"
#include "program/round_up.hpp"

namespace matgrad::gpu {
namespace {

constexpr std::int64_t kKiB = 1024;

// CUDA C++ Programming Guide, Compute Capabilities, the table "Technical Specifications per Compute
// Capability".
constexpr ArchitectureLimits kLimits[] = {
    {80, 65536, 64, 32, 164 * kKiB, 163 * kKiB},
    {90, 65536, 64, 32, 228 * kKiB, 227 * kKiB},
    {100, 65536, 64, 32, 228 * kKiB, 227 * kKiB},
};

// How both are handed out, as the toolkit's cuda_occupancy.h has it for compute capability 8.0 and later.
constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kWarpRegisters = 256;  ///< a warp has a multiple of these
constexpr std::int64_t kParts = 4;            ///< of a multiprocessor, each with its own registers
constexpr std::int64_t kMostThreadRegisters = 255;
constexpr std::int64_t kMemoryUnit = 128;
/// The system takes it of each block: the guide, on shared memory of compute capability 8.x.
constexpr std::int64_t kReservedBytes = 1 * kKiB;

std::int64_t number_in(const std::string& text, const char* pattern) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? std::stoll(match[1]) : 0;
}

}  // namespace

const ArchitectureLimits* limits_of(int architecture) {
    const auto* at = std::find_if(std::begin(kLimits), std::end(kLimits),
                                  [&](const auto& row) { return row.number == architecture; });
    return at == std::end(kLimits) ? nullptr : at;
}

std::string architecture_names() {
    std::string names;
    for (const ArchitectureLimits& row : kLimits) {
        names += fmt::format("{}sm_{}", names.empty() ? "" : ", ", row.number);
    }
    return names;
}

std::optional<KernelResources> resources_of(const std::string& log, const std::string& kernel) {
    const std::string head = "Compiling entry function '";
    const std::size_t begin = log.find(head + kernel + "'");
    if (begin == std::string::npos) {
        return std::nullopt;
    }
    const std::string part = log.substr(begin, log.find(head, begin + 1) - begin);
    if (part.find("Used ") == std::string::npos) {
        return std::nullopt;
    }
    KernelResources resources;
    resources.registers = number_in(part, "Used (\\d+) registers");
    resources.stack_bytes = number_in(part, "(\\d+) bytes stack frame");
    resources.spill_store_bytes = number_in(part, "(\\d+) bytes spill stores");
    resources.spill_load_bytes = number_in(part, "(\\d+) bytes spill loads");
    resources.static_bytes = number_in(part, "(\\d+) bytes smem");
    return resources;
}

Occupancy occupancy_of(const ArchitectureLimits& limits, std::int64_t threads,
                       std::int64_t registers, std::int64_t block_bytes) {
    const std::int64_t warps = ceil_div(threads, kWarp);
    const std::int64_t of_warp = round_up(registers * kWarp, kWarpRegisters);
    Occupancy found{limits.blocks, 0, "blocks"};
    const auto limit_by = [&found](std::int64_t blocks, const char* what) {
        if (blocks < found.blocks) {
            found.blocks = blocks;
            found.limit = what;
        }
    };
    limit_by(limits.warps / warps, "threads");
    if (registers > kMostThreadRegisters || of_warp * round_up(warps, kParts) > limits.registers) {
        limit_by(0, "registers");
    } else if (of_warp > 0) {
        limit_by(limits.registers / kParts / of_warp * kParts / warps, "registers");
    }
    const std::int64_t bytes = round_up(block_bytes + kReservedBytes, kMemoryUnit);
    limit_by(bytes > limits.block_memory_bytes + kReservedBytes ? 0 : limits.memory_bytes / bytes,
             "block memory");
    found.warps = found.blocks * warps;
    return found;
}

}  // namespace matgrad::gpu
