#include "cpu/highway_targets.hpp"
// The order matters: what the executor is compiled for is what is reported.
#include <fmt/format.h>
#include <hwy/targets.h>

#include <fstream>
#include <thread>

#include "cli/command.hpp"
#include "matgrad/device.hpp"

namespace matgrad {
namespace {

/// The processor's own name where the system tells it.
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

/// The best instruction set that this machine has and the executor is compiled for: Highway numbers
/// better ones lower.
std::string vector_instructions() {
    const auto targets = static_cast<std::uint64_t>(hwy::SupportedTargets()) & HWY_TARGETS;
    const auto best = targets & (~targets + 1);
    const std::string name = hwy::TargetName(static_cast<decltype(hwy::SupportedTargets())>(best));
    return name.rfind("AVX3", 0) == 0 ? "AVX-512" : name;  // by the name on the box
}

double gibibytes(std::size_t bytes) {
    return static_cast<double>(bytes) / (1 << 30);
}

}  // namespace

int devices_command() {
    const unsigned cores = std::thread::hardware_concurrency();
    fmt::print("cpu   {}, {} core{}, {}, {} thread{} by default\n", processor_name(), cores,
               cores == 1 ? "" : "s", vector_instructions(), cores, cores == 1 ? "" : "s");
    const DeviceList list = list_devices();
    for (const DeviceInfo& gpu : list.gpus) {
        fmt::print(
            "cuda:{}  {}, {:.1f} GiB of memory, {:.1f} GiB free, compute capability {}.{}, "
            "{} multiprocessors\n",
            gpu.index, gpu.name, gibibytes(gpu.memory_bytes), gibibytes(gpu.free_bytes), gpu.major,
            gpu.minor, gpu.multiprocessors);
    }
    if (list.gpus.empty()) {
        fmt::print("cuda  none: {}\n", list.why_none);
    }
    return kSuccess;
}

}  // namespace matgrad
