#pragma once
/// \file Small arrays to write, and what a file holds.

#include <numeric>
#include <string>
#include <vector>

#include "io/npy_reader.hpp"

namespace matgrad::io_test {

/// 0, 1, 2, ...
inline std::vector<double> counting(std::size_t count) {
    std::vector<double> result(count);
    std::iota(result.begin(), result.end(), 0.0);
    return result;
}

inline std::vector<double> read_all(const std::string& path) {
    const NpyReader reader(path);
    std::vector<double> result(static_cast<std::size_t>(reader.count()));
    reader.read(0, reader.count(), result.data());
    return result;
}

}  // namespace matgrad::io_test
