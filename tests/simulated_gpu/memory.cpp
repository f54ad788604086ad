#include "simulated_gpu/memory.hpp"

#include <algorithm>
#include <cstring>

#include "simulated_gpu/simulated_gpu.hpp"
#include "support/poison.hpp"

#if defined(MATGRAD_SANITIZE)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace matgrad::simulated {

using test::forbid_access;
using test::kPoison;
using test::map_poisoned;
using test::poison;
using test::unmap;

namespace {

constexpr std::size_t kGuardBytes = 1024;
/// The data begins here: aligned as cudaMalloc promises and no better.
constexpr std::size_t kBefore = kGuardBytes + Memory::kAlignment;
/// Freed memory is kept for this long before the host gets it back: so many bytes, or blocks.
constexpr std::size_t kKeptBytes = std::size_t{256} << 20;
constexpr std::size_t kKeptBlocks = 256;
/// Of a longer freed block only the ends are looked at.
constexpr std::size_t kInspectedBytes = std::size_t{64} << 10;

/// Guards read as NaN, be it float or double, and as other ones than poison.
std::byte guard_byte(std::size_t offset) {
    return offset % 2 == 0 ? std::byte{0xF7} : std::byte{0xFF};
}

void fill_guard(std::byte* raw, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
        raw[i] = guard_byte(i);
    }
}

/// Offset of the first damaged byte, or `to`.
std::size_t first_damage(const std::byte* raw, std::size_t from, std::size_t to) {
    while (from < to && raw[from] == guard_byte(from)) {
        ++from;
    }
    return from;
}

/// The guard behind a block ends here; it begins with the first byte that was not asked for.
std::size_t guard_end(const Block& block) {
    return kBefore + block.bytes + kGuardBytes;
}

std::string name_of(const Block& block) {
    return (block.device == Block::kPinned ? std::string("pinned memory")
                                           : "memory of device " + std::to_string(block.device)) +
           " of " + std::to_string(block.bytes) + " bytes";
}

}  // namespace

void* Memory::allocate(std::size_t bytes, int device, int made_current) {
    Block block;
    block.bytes = bytes;
    block.device = device;
    block.made_current = made_current;
    block.raw_bytes = guard_end(block);
    const DeviceAccess access(*this);
    block.raw = map_poisoned(block.raw_bytes);
    if (block.raw == nullptr) {
        return nullptr;
    }
    block.data = block.raw + kBefore;
    const std::size_t end = kBefore + bytes;
    fill_guard(block.raw, 0, kBefore);
    fill_guard(block.raw, end, guard_end(block));
    ASAN_POISON_MEMORY_REGION(block.raw, kBefore);
    ASAN_POISON_MEMORY_REGION(block.raw + end, block.raw_bytes - end);
    live_[reinterpret_cast<std::uintptr_t>(block.data)] = block;
    return block.data;
}

bool Memory::release(void* data) {
    const auto found = live_.find(reinterpret_cast<std::uintptr_t>(data));
    if (found == live_.end()) {
        return false;
    }
    const DeviceAccess access(*this);
    const Block block = found->second;
    check_guards(block);
    live_.erase(found);
    ASAN_UNPOISON_MEMORY_REGION(block.raw, block.raw_bytes);
    poison(block.raw, block.raw_bytes);
    ASAN_POISON_MEMORY_REGION(block.raw, block.raw_bytes);
    freed_.push_back(block);
    freed_bytes_ += block.raw_bytes;
    while (freed_.size() > kKeptBlocks || (freed_bytes_ > kKeptBytes && freed_.size() > 1)) {
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

const char* Memory::check_access(const void* address, std::size_t bytes, int device,
                                 const Block*& found) const {
    if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
        return "misaligned";
    }
    found = find(address);
    if (found == nullptr) {
        return was_freed(address) ? "in freed memory" : "outside all memory";
    }
    if (found->device != device) {
        return found->device == Block::kPinned ? "in host memory" : "in memory of another device";
    }
    return found->contains(address, bytes) ? nullptr : "past the end of its memory";
}

bool Memory::was_freed(const void* address) const {
    return std::any_of(freed_.begin(), freed_.end(),
                       [&](const Block& block) { return block.contains(address, 1); });
}

void Memory::inspect() {
    const DeviceAccess access(*this);
    for (const auto& [address, block] : live_) {
        check_guards(block);
    }
    for (const Block& block : freed_) {
        check_poison(block);
    }
}

void Memory::begin_access() {
    if (scopes_++ == 0 && strict_) {
        forbid_device_memory(false);
    }
}

void Memory::end_access() {
    if (--scopes_ == 0 && strict_) {
        forbid_device_memory(true);
    }
}

void Memory::set_strict(bool strict) {
    if (strict != strict_ && scopes_ == 0) {
        forbid_device_memory(strict);
    }
    strict_ = strict;
}

void Memory::forbid_device_memory(bool forbid) {
    for (const auto& [address, block] : live_) {
        if (block.device != Block::kPinned) {
            forbid_access(block.raw, block.raw_bytes, forbid);
        }
    }
}

void Memory::check_guards(const Block& block) {
    const std::size_t end = kBefore + block.bytes;
    ASAN_UNPOISON_MEMORY_REGION(block.raw, kBefore);
    ASAN_UNPOISON_MEMORY_REGION(block.raw + end, block.raw_bytes - end);
    if (const std::size_t at = first_damage(block.raw, 0, kBefore); at < kBefore) {
        report("written " + std::to_string(kBefore - at) + " bytes before the begin of " +
               name_of(block));
        fill_guard(block.raw, 0, kBefore);
    }
    if (const std::size_t at = first_damage(block.raw, end, guard_end(block));
        at < guard_end(block)) {
        report("written " + std::to_string(at - end) + " bytes past the end of " + name_of(block));
        fill_guard(block.raw, end, guard_end(block));
    }
    ASAN_POISON_MEMORY_REGION(block.raw, kBefore);
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
    unmap(block.raw, block.raw_bytes);
}

}  // namespace matgrad::simulated
