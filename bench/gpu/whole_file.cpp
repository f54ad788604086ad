#include "whole_file.hpp"

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace matgrad::bench {

void replace_file(const std::string& path, const std::string& text) {
    const std::string partial = path + ".partial";
    std::ofstream file(partial);
    file << text;
    file.close();
    if (!file || std::rename(partial.c_str(), path.c_str()) != 0) {
        throw std::runtime_error("--json " + path + ": cannot be written");
    }
}

}  // namespace matgrad::bench
