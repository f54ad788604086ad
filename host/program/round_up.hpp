#pragma once
/// \file Offsets and sizes at multiples of an alignment.

#include <cstdint>

namespace matgrad {

/// The least multiple of `alignment` that is not below `bytes`; bytes >= 0.
[[nodiscard]] constexpr std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace matgrad
