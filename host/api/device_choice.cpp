#include "api/device_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cuda/loader.hpp"
#include "program/cost.hpp"

namespace matgrad::detail {
namespace {

// A GPU of a data centre by its data sheet, rounded down; small matrices get nowhere near its
// arithmetic, and the way over the bus decides most choices.
constexpr DeviceRates kGpuRates{/*matrix=*/5e12, /*entrywise=*/5e11, /*bytes=*/1e12,
                                /*per_step=*/0};
constexpr double kGpuStepSeconds = 1e-5;     // one launch for the whole batch
constexpr double kGpuStartSeconds = 1;       // driver, libraries, compilation of kernels
constexpr double kBusBytesPerSecond = 2e10;  // each way; PCIe of the fourth generation

/// Bytes of a batch that cross the bus: operands one way, results the other, at the same time.
double bus_bytes(const Program& program) {
    double up = 0;
    double down = 0;
    const auto batch = static_cast<double>(program.batch);
    const auto bytes_of = [&](ValueId id, bool batched) {
        const Value& value = program.value(id);
        return static_cast<double>(value.count() * size_of(program.type)) * (batched ? batch : 1);
    };
    for (const ProgramOperand& operand : program.operands) {
        up += bytes_of(operand.value, operand.batched);
    }
    for (const ProgramOutput& output : program.outputs) {
        const Value& value = program.value(output.value);
        down += bytes_of(output.value, value.scope == Scope::problem);
    }
    return std::max(up, down);
}

DeviceChoice on_processor(std::string reason) {
    return {{DeviceKind::cpu, 0}, nullptr, std::move(reason)};
}

DeviceChoice choose(const Program& program, int threads) {
    const PredictedSeconds seconds = predict(program, threads);
    const std::string times =
        fmt::format("predicted {:.2g} s on the processor, {:.2g} s on a GPU with its start and bus",
                    seconds.on_processor, seconds.on_gpu);
    if (seconds.on_processor <= seconds.on_gpu) {
        return on_processor(times);
    }
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module != nullptr) {
        try {
            if (!module->devices().empty()) {
                return {{DeviceKind::cuda, 0}, module, times};
            }
            why = "there is no NVIDIA GPU";
        } catch (const MachineError& error) {
            why = error.what();
        }
    }
    return on_processor(fmt::format("{}; no GPU can be used: {}", times, why));
}

}  // namespace

PredictedSeconds predict(const Program& program, int threads) {
    const double steps = static_cast<double>(program.steps.size()) * kGpuStepSeconds;
    return {predicted_seconds(program) / std::max(threads, 1),
            kGpuStartSeconds + steps + bus_bytes(program) / kBusBytesPerSecond +
                predicted_seconds(program, kGpuRates)};
}

DeviceChoice choose_device(const Device& asked, const Program& program, int threads) {
    if (asked.kind == DeviceKind::automatic) {
        return choose(program, threads);
    }
    if (asked.kind == DeviceKind::cpu) {
        return on_processor("");
    }
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        throw MachineError(fmt::format("device {}: {}", to_text(asked), why));
    }
    return {asked, module, ""};
}

}  // namespace matgrad::detail
