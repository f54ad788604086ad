#pragma once
/// \file The files of tests/data. The environment variable MATGRAD_TEST_DATA names another folder: test
/// programs also run where they were not built.

#include <cstdlib>
#include <string>

namespace matgrad {

inline std::string test_data(const std::string& name) {
    const char* folder = std::getenv("MATGRAD_TEST_DATA");
    return std::string(folder != nullptr ? folder : MATGRAD_TEST_DATA) + "/" + name;
}

}  // namespace matgrad
