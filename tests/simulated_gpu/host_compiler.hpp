#pragma once
/// \file Compiles device code for the host, as a shared object, and keeps what it compiled on disk.

#include <string>
#include <utility>
#include <vector>

namespace matgrad::simulated {

/// The text of a program, and the headers that it may include.
struct DeviceSource {
    std::string name;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers;  ///< name, text
    std::vector<std::string> definitions;                      ///< "-DNAME=VALUE"
};

struct Compiled {
    std::string file;  ///< of the shared object; empty if it did not compile
    std::string log;
};

/// The header device.cuh is replaced by its host twin. Errors: std::runtime_error if the compiler
/// cannot be run or the disk cannot be written.
[[nodiscard]] Compiled compile_for_host(const DeviceSource& source);

}  // namespace matgrad::simulated
