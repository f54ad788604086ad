#include "matgrad/device.hpp"

#include <fmt/format.h>

#include <charconv>

#include "cuda/loader.hpp"
#include "expression/guarded.hpp"

namespace matgrad {

Device device_from_text(std::string_view text) try {
    constexpr std::string_view kCuda = "cuda:";
    if (text == "auto") {
        return {DeviceKind::automatic, 0};
    }
    if (text == "cpu") {
        return {DeviceKind::cpu, 0};
    }
    if (text == "cuda") {
        return {DeviceKind::cuda, 0};
    }
    if (text.substr(0, kCuda.size()) == kCuda) {
        const std::string_view word = text.substr(kCuda.size());
        if (word == "all") {
            return {DeviceKind::cuda, Device::kAll};
        }
        int index = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), index);
        if (error == std::errc() && end == word.data() + word.size() && index >= 0) {
            return {DeviceKind::cuda, index};
        }
    }
    throw OperandError(fmt::format(
        "device '{}': expected auto, cpu, cuda, cuda:k with k from 0, or cuda:all", text));
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_text(const Device& device) try {
    switch (device.kind) {
        case DeviceKind::automatic:
            return "auto";
        case DeviceKind::cpu:
            return "cpu";
        case DeviceKind::cuda:
            break;
    }
    return device.index == Device::kAll ? "cuda:all" : fmt::format("cuda:{}", device.index);
} catch (...) {
    detail::throw_as_matgrad();
}

DeviceList list_devices() try {
    DeviceList list;
    const gpu::Module* module = gpu::load_module(list.why_none);
    if (module == nullptr) {
        return list;
    }
    try {
        list.gpus = module->devices();
        list.why_none = list.gpus.empty() ? "there is no NVIDIA GPU" : "";
    } catch (const MachineError& error) {
        list.why_none = error.what();
    }
    return list;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
