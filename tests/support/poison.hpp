#pragma once
/// \file Poisoned pages of the host's memory. Those that nobody writes cost nothing.

#include <cstddef>

namespace matgrad::test {

/// What every byte of new and of freed memory is: NaN, be it float or double.
inline constexpr unsigned char kPoison = 0xFF;

/// Pages of poison; null if the host has no memory. Makes `bytes` a multiple of the page.
[[nodiscard]] std::byte* map_poisoned(std::size_t& bytes);
/// Poisons mapped pages again.
void poison(std::byte* data, std::size_t bytes);
void unmap(std::byte* data, std::size_t bytes);
/// From now on touching mapped pages ends the program, or does not.
void forbid_access(std::byte* data, std::size_t bytes, bool forbid);

/// Poisoned memory of so many bytes: what lies behind its last line of 64 bytes ends the program.
class PoisonedMemory {
public:
    explicit PoisonedMemory(std::size_t bytes);
    ~PoisonedMemory() { unmap(pages_, mapped_); }
    PoisonedMemory(const PoisonedMemory&) = delete;
    PoisonedMemory& operator=(const PoisonedMemory&) = delete;
    /// A multiple of 64.
    [[nodiscard]] std::byte* data() const { return data_; }

private:
    std::byte* pages_ = nullptr;
    std::size_t mapped_ = 0;
    std::byte* data_ = nullptr;
};

}  // namespace matgrad::test
