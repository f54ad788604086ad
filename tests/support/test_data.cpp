#include "support/test_data.hpp"

#include <cstdlib>

namespace matgrad {

std::string test_data(const std::string& name) {
    const char* folder = std::getenv("MATGRAD_TEST_DATA");
    return (folder != nullptr ? std::string(folder) : source_file("tests/data")) + "/" + name;
}

std::string source_file(const std::string& name) {
    return std::string(MATGRAD_SOURCE_DIR) + "/" + name;
}

}  // namespace matgrad
