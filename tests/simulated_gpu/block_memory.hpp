#pragma once
/// \file Block memory: the arrays of the block that runs. Poisoned when a block begins, guarded behind
/// their ends.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulated_gpu/kernel_state.hpp"

namespace matgrad::simulated {

/// What a launch gives each block.
struct BlockMemoryOfLaunch {
    std::size_t dynamic_bytes = 0;
    /// Of all arrays of a block together, where there is dynamic memory.
    std::size_t most_bytes = 0;
};

/// Violations are returned as text.
class BlockMemory {
public:
    static constexpr std::size_t kMostStatic = std::size_t{48} << 10;
    static constexpr std::size_t kMost = std::size_t{227} << 10;

    void start_launch(const BlockMemoryOfLaunch& given);
    void start_block();
    /// A static array of the block.
    void enter(void* data, std::size_t bytes, const char* name);
    /// The dynamic one. `bytes` at most kMost.
    std::optional<std::string> enter_dynamic(std::size_t bytes, const char* name);
    /// None, with the array, if the bytes may be loaded or stored: they are in one that the block has
    /// entered.
    [[nodiscard]] std::optional<std::string> check_access(const void* address, std::size_t bytes,
                                                          MemoryRange& found) const;
    /// When all threads of the block have ended.
    [[nodiscard]] std::optional<std::string> check_block();
    [[nodiscard]] std::optional<std::string> check_launch() const;

    /// Most bytes of a block of this launch.
    [[nodiscard]] std::int64_t largest() const { return largest_; }

private:
    struct Array {
        std::byte* data;
        std::size_t bytes;
        const char* name;
    };
    static void poison(const Array& array);

    BlockMemoryOfLaunch given_;
    bool is_dynamic_entered_ = false;  ///< by a block of this launch
    std::int64_t largest_ = 0;
    std::vector<Array> arrays_;
    std::unique_ptr<std::byte[]> dynamic_;  ///< kMost bytes and a guard, at a multiple of 128
};

}  // namespace matgrad::simulated
