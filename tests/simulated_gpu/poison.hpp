#pragma once
/// \file Poisoned pages of the host's memory. Those that nobody writes cost nothing.

#include <cstddef>

namespace matgrad::simulated {

/// What every byte of new and of freed memory is: NaN, be it float or double.
inline constexpr unsigned char kPoison = 0xFF;

/// Pages of poison; null if the host has no memory. Makes `bytes` a multiple of the page.
[[nodiscard]] std::byte* map_poisoned(std::size_t& bytes);
/// Poisons mapped pages again.
void poison(std::byte* data, std::size_t bytes);
void unmap(std::byte* data, std::size_t bytes);
/// From now on touching mapped pages ends the program, or does not.
void forbid_access(std::byte* data, std::size_t bytes, bool forbid);

}  // namespace matgrad::simulated
