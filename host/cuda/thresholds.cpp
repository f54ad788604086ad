#include "cuda/thresholds.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "matgrad/error.hpp"

namespace matgrad::gpu {
namespace {

std::string variable_of(const Threshold& threshold) {
    std::string name = "MATGRAD_GPU_";
    for (const char* c = threshold.name; *c != 0; ++c) {
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
    }
    return name;
}

std::int64_t number_of(const std::string& variable, std::string_view text) {
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) {
        throw OperandError(
            fmt::format("{} is '{}': expected a number of at least 0", variable, text));
    }
    return number;
}

std::span<const Threshold> measured_on(int major) {
    return major >= 10  ? thresholds_of_blackwell()
           : major == 9 ? thresholds_of_hopper()
                        : thresholds_of_ampere();
}

}  // namespace

Thresholds Thresholds::of(int major) {
    Thresholds thresholds;
    for (const Threshold& threshold : thresholds_of_documents()) {
        thresholds.set(threshold);
    }
    for (const Threshold& threshold : measured_on(major)) {
        thresholds.set(threshold);
    }
    for (Threshold threshold : thresholds_of_documents()) {
        const std::string variable = variable_of(threshold);
        if (const char* text = std::getenv(variable.c_str()); text != nullptr && *text != 0) {
            threshold.value = number_of(variable, text);
            thresholds.set(threshold);
            thresholds.overridden_ += fmt::format(
                "{}{}={}", thresholds.overridden_.empty() ? "" : " ", variable, threshold.value);
        }
    }
    return thresholds;
}

}  // namespace matgrad::gpu
