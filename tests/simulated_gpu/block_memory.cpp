#include "simulated_gpu/block_memory.hpp"

#include <algorithm>
#include <cstring>

#include "simulated_gpu/block_runner.hpp"

namespace matgrad::simulated {
namespace {

/// NaN, be it float or double.
constexpr unsigned char kPoison = 0xFF;
constexpr unsigned char kGuardByte = 0xF7;
constexpr std::size_t kAlignment = 128;

}  // namespace

void BlockMemory::start_launch(const BlockMemoryOfLaunch& given) {
    given_ = given;
    is_dynamic_entered_ = false;
    largest_ = 0;
}

void BlockMemory::start_block() {
    arrays_.clear();
    KernelState& state = *kernel_state();
    std::fill(std::begin(state.shared_ranges), std::end(state.shared_ranges), MemoryRange{});
    state.block_memory = nullptr;
}

void BlockMemory::poison(const Array& array) {
    std::memset(array.data, kPoison, array.bytes);
    std::memset(array.data + array.bytes, kGuardByte, KernelState::kSharedGuard);
}

void BlockMemory::enter(void* data, std::size_t bytes, const char* name) {
    arrays_.push_back({static_cast<std::byte*>(data), bytes, name});
    poison(arrays_.back());
}

std::optional<std::string> BlockMemory::enter_dynamic(std::size_t bytes, const char* name) {
    if (!dynamic_) {
        dynamic_ = std::make_unique<std::byte[]>(kAlignment + kMost + KernelState::kSharedGuard);
    }
    KernelState& state = *kernel_state();
    is_dynamic_entered_ = true;
    if (state.block_memory == nullptr) {
        void* data = dynamic_.get();
        std::size_t space = kAlignment + kMost;
        data = std::align(kAlignment, kMost, data, space);
        state.block_memory = static_cast<unsigned char*>(data);
        arrays_.push_back({static_cast<std::byte*>(data), bytes, name});
        poison(arrays_.back());
    }
    state.block_memory_bytes = bytes;
    if (bytes != given_.dynamic_bytes) {
        return std::string("the kernel has ") + std::to_string(bytes) + " bytes of block memory (" +
               name + "): the launch gives " + std::to_string(given_.dynamic_bytes);
    }
    return std::nullopt;
}

std::optional<std::string> BlockMemory::check_access(const void* address, std::size_t bytes,
                                                     MemoryRange& found) const {
    if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
        return "misaligned in block memory";
    }
    const auto* const p = static_cast<const std::byte*>(address);
    for (const Array& array : arrays_) {
        const MemoryRange range{reinterpret_cast<const char*>(array.data), array.bytes};
        if (range.contains(static_cast<const char*>(address), bytes)) {
            found = range;
            return std::nullopt;
        }
        if (p >= array.data && p < array.data + array.bytes + KernelState::kSharedGuard) {
            return std::string("past the end of block memory ") + array.name;
        }
    }
    return "outside block memory";
}

std::optional<std::string> BlockMemory::check_block() {
    std::size_t sum = 0;
    for (const Array& array : arrays_) {
        sum += array.bytes;
        const std::byte* const guard = array.data + array.bytes;
        if (std::any_of(guard, guard + KernelState::kSharedGuard,
                        [](std::byte b) { return b != std::byte{kGuardByte}; })) {
            return std::string("written past the end of the shared array ") + array.name;
        }
    }
    largest_ = std::max(largest_, static_cast<std::int64_t>(sum));
    const bool is_dynamic = kernel_state()->block_memory != nullptr;
    const std::size_t sum_of_static = is_dynamic ? sum - kernel_state()->block_memory_bytes : sum;
    const auto too_much = [](std::size_t bytes, const char* what, std::size_t most) {
        return std::string("a block's ") + what + " " + std::to_string(bytes) +
               " bytes: expected at most " + std::to_string(most);
    };
    if (sum_of_static > kMostStatic) {
        return too_much(sum_of_static, "shared arrays have", kMostStatic);
    }
    if (is_dynamic && sum > given_.most_bytes) {
        return too_much(sum, "shared arrays and block memory have", given_.most_bytes);
    }
    return std::nullopt;
}

std::optional<std::string> BlockMemory::check_launch() const {
    if (given_.dynamic_bytes != 0 && !is_dynamic_entered_) {
        return "the launch gives " + std::to_string(given_.dynamic_bytes) +
               " bytes of block memory to a kernel that has none";
    }
    return std::nullopt;
}

}  // namespace matgrad::simulated
