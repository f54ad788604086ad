#include "simulated_gpu/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "simulated_gpu/simulated_gpu.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace matgrad::simulated {
namespace {

// Each reads as NaN, be it float or double, and as an integer far from anything sensible.
constexpr std::uint16_t kGuard = 0xFFF7;
constexpr unsigned char kPoison = 0xFF;  // of new and of freed memory

constexpr std::size_t kGuardBytes = 1024;
/// Freed memory is kept for this long before the host gets it back.
constexpr std::size_t kKeptBytes = std::size_t{64} << 20;
/// Of a longer freed block only the ends are looked at.
constexpr std::size_t kInspectedBytes = std::size_t{1} << 20;

void fill_guard(std::byte* data, std::size_t bytes) {
    for (std::size_t i = 0; i + 1 < bytes; i += 2) {
        std::memcpy(data + i, &kGuard, 2);
    }
}

/// Offset of the first damaged byte, or `bytes`. Guards begin at even addresses from `origin` on.
std::size_t first_damage(const std::byte* origin, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
        unsigned char expected[2];
        std::memcpy(expected, &kGuard, 2);
        if (std::to_integer<unsigned char>(origin[i]) != expected[i % 2]) {
            return i;
        }
    }
    return to;
}

std::string name_of(const Block& block) {
    return (block.device == Block::kPinned ? std::string("pinned memory")
                                           : "memory of device " + std::to_string(block.device)) +
           " of " + std::to_string(block.bytes) + " bytes";
}

}  // namespace

void* Memory::allocate(std::size_t bytes, int device, int made_current) {
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    Block block;
    block.bytes = bytes;
    block.device = device;
    block.made_current = made_current;
    // Aligned as cudaMalloc promises and no better.
    block.raw_bytes = kGuardBytes + kAlignment + rounded + kGuardBytes;
    block.raw_bytes = (block.raw_bytes + 2 * kAlignment - 1) / (2 * kAlignment) * (2 * kAlignment);
    block.raw = static_cast<std::byte*>(std::aligned_alloc(2 * kAlignment, block.raw_bytes));
    if (block.raw == nullptr) {
        return nullptr;
    }
    block.data = block.raw + kGuardBytes + kAlignment;
    const std::size_t before = kGuardBytes + kAlignment;
    fill_guard(block.raw, before);
    // The guard behind begins with the first byte that was not asked for.
    const std::size_t end = before + bytes;
    fill_guard(block.raw + end / 2 * 2, block.raw_bytes - end / 2 * 2);
    std::memset(block.data, kPoison, bytes);
    ASAN_POISON_MEMORY_REGION(block.raw, before);
    ASAN_POISON_MEMORY_REGION(block.raw + end, block.raw_bytes - end);
    live_[reinterpret_cast<std::uintptr_t>(block.data)] = block;
    return block.data;
}

bool Memory::release(void* data) {
    const auto found = live_.find(reinterpret_cast<std::uintptr_t>(data));
    if (found == live_.end()) {
        return false;
    }
    const Block block = found->second;
    check_guards(block);
    live_.erase(found);
    std::memset(block.data, kPoison, block.bytes);
    ASAN_POISON_MEMORY_REGION(block.raw, block.raw_bytes);
    freed_.push_back(block);
    freed_bytes_ += block.raw_bytes;
    while (freed_bytes_ > kKeptBytes && freed_.size() > 1) {
        forget_oldest();
    }
    return true;
}

const Block* Memory::find(const void* address) const {
    auto next = live_.upper_bound(reinterpret_cast<std::uintptr_t>(address));
    if (next == live_.begin()) {
        return nullptr;
    }
    const Block& block = std::prev(next)->second;
    return block.contains(address, 1) ? &block : nullptr;
}

bool Memory::was_freed(const void* address) const {
    return std::any_of(freed_.begin(), freed_.end(),
                       [&](const Block& block) { return block.contains(address, 1); });
}

void Memory::inspect() {
    for (const auto& [address, block] : live_) {
        check_guards(block);
    }
    for (const Block& block : freed_) {
        check_poison(block);
    }
}

std::size_t Memory::live_bytes(int device) const {
    std::size_t sum = 0;
    for (const auto& [address, block] : live_) {
        sum += block.device == device ? block.bytes : 0;
    }
    return sum;
}

void Memory::check_guards(const Block& block) {
    const std::size_t before = kGuardBytes + kAlignment;
    const std::size_t end = before + block.bytes;
    ASAN_UNPOISON_MEMORY_REGION(block.raw, before);
    ASAN_UNPOISON_MEMORY_REGION(block.raw + end, block.raw_bytes - end);
    if (const std::size_t at = first_damage(block.raw, 0, before); at < before) {
        report("written " + std::to_string(before - at) + " bytes before the begin of " +
               name_of(block));
        fill_guard(block.raw, before);
    }
    if (const std::size_t at = first_damage(block.raw, end, block.raw_bytes);
        at < block.raw_bytes) {
        report("written " + std::to_string(at - end) + " bytes past the end of " + name_of(block));
        for (std::size_t i = at; i < block.raw_bytes; ++i) {
            unsigned char expected[2];
            std::memcpy(expected, &kGuard, 2);
            block.raw[i] = std::byte{expected[i % 2]};
        }
    }
    ASAN_POISON_MEMORY_REGION(block.raw, before);
    ASAN_POISON_MEMORY_REGION(block.raw + end, block.raw_bytes - end);
}

void Memory::check_poison(const Block& block) {
    ASAN_UNPOISON_MEMORY_REGION(block.raw, block.raw_bytes);
    const std::size_t part = std::min(block.bytes, kInspectedBytes);
    for (std::byte* begin : {block.data, block.data + (block.bytes - part)}) {
        std::byte* const damaged =
            std::find_if(begin, begin + part, [](std::byte b) { return b != std::byte{kPoison}; });
        if (damaged != begin + part) {
            report("written at byte " + std::to_string(damaged - block.data) + " of freed " +
                   name_of(block));
            std::memset(begin, kPoison, part);
        }
    }
    ASAN_POISON_MEMORY_REGION(block.raw, block.raw_bytes);
}

void Memory::forget_oldest() {
    const Block block = freed_.front();
    check_poison(block);
    freed_.pop_front();
    freed_bytes_ -= block.raw_bytes;
    ASAN_UNPOISON_MEMORY_REGION(block.raw, block.raw_bytes);
    std::free(block.raw);
}

}  // namespace matgrad::simulated
