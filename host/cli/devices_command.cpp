#include <fmt/format.h>

#include <thread>

#include "cli/command.hpp"
#include "cli/printable.hpp"
#include "cpu/processor.hpp"
#include "matgrad/device.hpp"

namespace matgrad {
namespace {

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
            gpu.index, printable(gpu.name), gibibytes(gpu.memory_bytes), gibibytes(gpu.free_bytes),
            gpu.major, gpu.minor, gpu.multiprocessors);
    }
    if (list.gpus.empty()) {
        fmt::print("cuda  none: {}\n", printable(list.why_none));
    }
    return kSuccess;
}

}  // namespace matgrad
