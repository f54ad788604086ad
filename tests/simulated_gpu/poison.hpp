#pragma once
/// \file Poisoned memory of the host. Pages of large pieces that nobody writes cost nothing.

#include <cstddef>

namespace matgrad::simulated {

/// What every byte of new and of freed memory is: NaN, be it float or double.
inline constexpr unsigned char kPoison = 0xFF;

/// Poisoned, aligned to 512 bytes; null if the host has no memory. May make `bytes` larger.
[[nodiscard]] std::byte* take_poisoned(std::size_t& bytes);
/// Poisons it again.
void poison(std::byte* data, std::size_t bytes);
void give_back(std::byte* data, std::size_t bytes);

}  // namespace matgrad::simulated
