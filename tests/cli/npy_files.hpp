#pragma once
/// \file .npy files for tests, written and read without the project's own code.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "io/files.hpp"

namespace matgrad::cli_test {

template <typename T>
std::string type_word() {
    return std::is_same_v<T, float> ? "<f4" : std::is_same_v<T, double> ? "<f8" : "<i4";
}

inline std::string shape_words(const std::vector<std::int64_t>& shape) {
    std::string text = "(";
    for (const std::int64_t size : shape) {
        text += std::to_string(size) + ",";
    }
    return text + ")";
}

template <typename T>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               const std::vector<T>& data, bool fortran_order = false) {
    const std::string dictionary = "{'descr': '" + type_word<T>() +
                                   "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                                   ", 'shape': " + shape_words(shape) + ", }\n";
    std::string bytes = io_test::header_around(dictionary);
    bytes.append(reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T));
    io_test::write_text(path, bytes);
}

/// The data of a C-ordered file; the test fails unless type and shape are those expected.
template <typename T>
std::vector<T> read_npy(const std::string& path, const std::vector<std::int64_t>& shape) {
    const std::string bytes = io_test::read_text(path);
    if (bytes.size() < 10) {
        ADD_FAILURE() << path << " has " << bytes.size() << " bytes";
        return {};
    }
    const std::size_t length =
        static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
    std::string header = bytes.substr(10, length);
    header.erase(std::remove(header.begin(), header.end(), ' '), header.end());
    std::string text = shape_words(shape);
    if (shape.size() > 1) {
        text = text.substr(0, text.size() - 2) + ")";  // (3,4), not (3,4,)
    }
    EXPECT_NE(header.find("'descr':'" + type_word<T>() + "'"), std::string::npos) << header;
    EXPECT_NE(header.find("'shape':" + text), std::string::npos) << header << " for " << text;
    EXPECT_NE(header.find("'fortran_order':False"), std::string::npos) << header;
    std::vector<T> data((bytes.size() - 10 - length) / sizeof(T));
    if (!data.empty()) {  // memcpy takes no null pointer, not even for nothing
        std::memcpy(data.data(), bytes.data() + 10 + length, data.size() * sizeof(T));
    }
    return data;
}

/// Numbers in (-1, 1), the same for the same seed.
template <typename T = double>
std::vector<T> numbers(std::int64_t count, std::uint64_t seed) {
    std::vector<T> result;
    std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (std::int64_t i = 0; i < count; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        result.push_back(static_cast<T>(static_cast<double>(state >> 11) * 0x1p-52 - 1));
    }
    return result;
}

}  // namespace matgrad::cli_test
