#pragma once
/// \file Numbers to compute with.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace matgrad::test {

/// From -1 to below 1, the same for a seed on every machine.
template <typename T = double>
[[nodiscard]] std::vector<T> random_numbers(std::int64_t count, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<T> numbers(static_cast<std::size_t>(count));
    for (T& x : numbers) {
        x = static_cast<T>(static_cast<double>(engine() >> 11) * 0x1p-52 - 1);
    }
    return numbers;
}

}  // namespace matgrad::test
