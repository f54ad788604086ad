#pragma once
/// \file Machine code of generated kernels, by NVRTC or from the disk.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/kernel_source.hpp"

namespace matgrad::gpu {

/// Machine code for this architecture, or, for one newer than NVRTC, text that the driver compiles on.
///
/// Equal texts are compiled once in a process, and once for all processes that share a folder of
/// kernels (kernel_cache.hpp). Errors: MachineError with the first line of the compiler's log.
[[nodiscard]] std::shared_ptr<const std::vector<char>> compile(const std::string& source, int major,
                                                               int minor);

/// All that machine code depends on.
struct Compilation {
    std::string compiler;              ///< which NVRTC
    std::vector<std::string> options;  ///< the architecture among them
    std::string source;
    std::span<const EmbeddedHeader> headers;
};

/// What NVRTC makes of it, and what it says.
struct Compiled {
    std::vector<char> code;
    std::string log;
};
/// Compiles in any case. Errors: as of `compile`.
[[nodiscard]] Compiled compile_now(const Compilation& compilation);

/// What `compile` does for this architecture.
[[nodiscard]] Compilation compilation_for(const std::string& source, int major, int minor);

/// One text of all of it: two Compilations that differ anywhere have different ones.
[[nodiscard]] std::string key_of(const Compilation& compilation);

}  // namespace matgrad::gpu
