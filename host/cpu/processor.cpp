#include "cpu/processor.hpp"

#include "cpu/highway_targets.hpp"
// The order matters: what the executor is compiled for is what is reported.
#include <hwy/targets.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace matgrad {

std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const std::size_t colon = line.find(": ");
        if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "processor";
}

std::string vector_instructions() {
    // Highway numbers better ones lower.
    const auto targets = static_cast<std::uint64_t>(hwy::SupportedTargets()) & HWY_TARGETS;
    const auto best = targets & (~targets + 1);
    const std::string name = hwy::TargetName(static_cast<decltype(hwy::SupportedTargets())>(best));
    return name.rfind("AVX3", 0) == 0 ? "AVX-512" : name;  // by the name on the box
}

std::size_t last_level_cache_bytes() {
    for (const int level : {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
        const long bytes = ::sysconf(level);
        if (bytes > 0) {
            return static_cast<std::size_t>(bytes);
        }
    }
    return std::size_t{32} << 20;
}

}  // namespace matgrad
