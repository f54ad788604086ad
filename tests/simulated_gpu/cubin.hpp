#pragma once
/// \file What the simulated NVRTC makes and the simulated runtime loads: the name of a shared object.

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace matgrad::simulated {

struct Cubin {
    std::string file;
    int architecture = 0;  ///< 90 for sm_90
};

inline constexpr char kCubinBegin[] = "matgrad simulated cubin for sm_";

/// "... for sm_90 FILE" and a null character.
[[nodiscard]] inline std::string make_cubin(const Cubin& cubin) {
    return kCubinBegin + std::to_string(cubin.architecture) + " " + cubin.file + '\0';
}

/// None if the bytes are something else.
[[nodiscard]] inline std::optional<Cubin> read_cubin(const void* image) {
    const auto* text = static_cast<const char*>(image);
    constexpr std::size_t kLength = sizeof(kCubinBegin) - 1;
    if (std::strncmp(text, kCubinBegin, kLength) != 0) {
        return std::nullopt;
    }
    char* end = nullptr;
    const long architecture = std::strtol(text + kLength, &end, 10);
    return Cubin{end + 1, static_cast<int>(architecture)};
}

}  // namespace matgrad::simulated
