#pragma once
/// \file Where tests find files: those of tests/data, and those of the source tree.

#include <string>

namespace matgrad {

/// The path of a file of tests/data. The environment variable MATGRAD_TEST_DATA names another folder:
/// test programs also run where they were not built.
[[nodiscard]] std::string test_data(const std::string& name);

/// The path of a file of the source tree, which is there where the tests were built.
[[nodiscard]] std::string source_file(const std::string& name);

}  // namespace matgrad
