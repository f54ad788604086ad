#pragma once
/// \file Simulated memory: blocks of host memory with guard zones, poisoned when new and when freed.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace matgrad::simulated {

/// Device memory, or pinned host memory.
struct Block {
    static constexpr int kPinned = -1;

    std::byte* raw = nullptr;  ///< guard, data, guard
    std::byte* data = nullptr;
    std::size_t bytes = 0;
    std::size_t raw_bytes = 0;
    int device = 0;        ///< or kPinned
    int made_current = 0;  ///< device that was current at its allocation

    [[nodiscard]] bool contains(const void* p, std::size_t size) const {
        const auto* at = static_cast<const std::byte*>(p);
        return at >= data && size <= bytes && at <= data + (bytes - size);
    }
};

class Memory {
public:
    static constexpr std::size_t kAlignment = 256;

    /// Null if the host has none. `bytes` > 0.
    void* allocate(std::size_t bytes, int device, int made_current);
    /// False if no live block begins there. Damage is reported.
    bool release(void* data);
    /// The live block that holds the address, one past its end excluded; null if there is none.
    [[nodiscard]] const Block* find(const void* address) const;
    /// Null, with the block, if a thread of a device may load or store so many bytes as one; else what
    /// is wrong.
    [[nodiscard]] const char* check_access(const void* address, std::size_t bytes, int device,
                                           const Block*& found) const;
    /// The address is in memory that was freed not long ago.
    [[nodiscard]] bool was_freed(const void* address) const;
    /// Reports damaged guard zones of live blocks, and writes to freed ones.
    void inspect();
    /// While there is a scope of access, device memory can be touched; else that ends the program, if
    /// the machine is strict.
    void begin_access();
    void end_access();
    void set_strict(bool strict);

private:
    void check_guards(const Block& block);
    void check_poison(const Block& block);
    void forget_oldest();
    void forbid_device_memory(bool forbid);

    std::map<std::uintptr_t, Block> live_;  ///< by address of the data
    std::deque<Block> freed_;
    std::size_t freed_bytes_ = 0;
    int scopes_ = 0;
    bool strict_ = false;
};

/// What the device does: it may touch device memory.
class DeviceAccess {
public:
    explicit DeviceAccess(Memory& memory) : memory_(memory) { memory_.begin_access(); }
    ~DeviceAccess() { memory_.end_access(); }
    DeviceAccess(const DeviceAccess&) = delete;
    DeviceAccess& operator=(const DeviceAccess&) = delete;

private:
    Memory& memory_;
};

}  // namespace matgrad::simulated
