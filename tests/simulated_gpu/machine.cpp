#include "simulated_gpu/machine.hpp"

#include <algorithm>
#include <cstdlib>

namespace matgrad::simulated {
namespace {

thread_local int this_threads_device = 0;

bool starts_with(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

const char* from_environment(const char* name) {
    const char* text = std::getenv(name);
    return text != nullptr && *text != 0 ? text : nullptr;
}

Machine machine_of_environment() {
    Machine machine;
    if (const char* text = from_environment("MATGRAD_SIMULATED_DEVICES")) {
        machine.devices = std::atoi(text);
    }
    if (const char* text = from_environment("MATGRAD_SIMULATED_MEMORY")) {
        machine.device_memory = std::strtoull(text, nullptr, 10);
    }
    if (const char* text = from_environment("MATGRAD_SIMULATED_STRICT")) {
        machine.strict = std::atoi(text) != 0;
    }
    if (const char* text = from_environment("MATGRAD_SIMULATED_COMPUTE_MODE")) {
        machine.compute_mode = std::atoi(text);
    }
    return machine;
}

Schedule schedule_of_environment() {
    Schedule schedule;
    if (const char* text = from_environment("MATGRAD_SIMULATED_SEED")) {
        schedule.seed = std::strtoull(text, nullptr, 10);
    }
    if (const char* text = from_environment("MATGRAD_SIMULATED_EAGERNESS")) {
        schedule.eagerness = std::strtod(text, nullptr);
    }
    return schedule;
}

void start(Simulation& s, const Machine& machine) {
    s.machine = machine;
    s.memory.set_strict(machine.strict);
    const auto count = static_cast<std::size_t>(std::max(machine.devices, 0));
    s.devices.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        DeviceState& device = s.devices[i];
        device.broken = cudaSuccess;
        device.peak = device.used;
        if (!device.default_stream) {
            device.default_stream = std::make_shared<StreamState>();
            device.default_stream->device = static_cast<int>(i);
            device.default_stream->is_default = true;
        }
    }
}

}  // namespace

Simulation::Simulation() : schedule(schedule_of_environment()) {
    start(*this, machine_of_environment());
    random.seed(schedule.seed);
    const char* profile = from_environment("MATGRAD_SIMULATED_PROFILE");
    is_profiling = profile != nullptr && std::atoi(profile) != 0;
}

Simulation& simulation() {
    // Never destroyed: owners in static objects may still call.
    static auto& only = *new Simulation;
    return only;
}

int current_device() {
    return this_threads_device;
}

void set_current_device(int device) {
    this_threads_device = device;
}

cudaError_t machine_state() {
    const Simulation& s = simulation();
    if (s.machine.driver < CUDART_VERSION) {
        return cudaErrorInsufficientDriver;
    }
    if (s.devices.empty()) {
        return cudaErrorNoDevice;
    }
    const auto device = static_cast<std::size_t>(current_device());
    return device < s.devices.size() ? s.devices[device].broken : cudaErrorInvalidDevice;
}

void report(const std::string& violation) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    constexpr std::size_t kMost = 100;  // the first ones tell most
    if (s.complaints.size() < kMost) {
        s.complaints.push_back(s.running.empty() ? violation : s.running + ": " + violation);
    }
}

std::optional<int> injected_failure(const char* function) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    const std::string name = function;
    ++s.calls[name];
    std::optional<int> code;
    for (Failure& failure : s.failures) {
        if (starts_with(name, failure.prefix) && --failure.countdown == 0) {
            code = failure.code;
        }
    }
    return code;
}

void reset(const Machine& machine, const Schedule& schedule) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    run_device(-1);
    start(s, machine);
    s.memory.inspect();
    s.complaints.clear();
    s.calls.clear();
    s.failures.clear();
    s.launches.clear();
    s.is_profiling = false;
    forget_last_error();
    set_schedule(schedule);
}

void set_schedule(const Schedule& schedule) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    s.schedule = schedule;
    s.random.seed(schedule.seed);
}

std::vector<std::string> complaints() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    s.memory.inspect();
    return s.complaints;
}

std::vector<std::string> take_complaints() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    s.memory.inspect();
    return std::exchange(s.complaints, {});
}

void fail_call(const std::string& function, int nth, int code) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    s.failures.push_back({function, nth, code});
}

std::int64_t calls(const std::string& function) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    std::int64_t sum = 0;
    for (const auto& [name, count] : s.calls) {
        sum += starts_with(name, function) ? count : 0;
    }
    return sum;
}

void profile_launches(bool is_on) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    s.is_profiling = is_on;
}

std::vector<Launch> launches() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    return s.launches;
}

std::size_t allocated_bytes(int device) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    return s.devices.at(static_cast<std::size_t>(device)).used;
}

std::size_t peak_bytes(int device) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    return s.devices.at(static_cast<std::size_t>(device)).peak;
}

std::size_t pinned_bytes() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    return s.pinned;
}

bool is_broken(int device) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    return s.devices.at(static_cast<std::size_t>(device)).broken != cudaSuccess;
}

bool is_device_range(const void* data, std::size_t bytes, int device) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    if (bytes == 0) {
        return true;
    }
    const Block* block = s.memory.find(data);
    return block != nullptr && block->device == device && block->contains(data, bytes);
}

bool is_device_range(const void* data, std::size_t bytes) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    if (bytes == 0) {
        return true;
    }
    const Block* block = s.memory.find(data);
    return block != nullptr && block->device != Block::kPinned && block->contains(data, bytes);
}

}  // namespace matgrad::simulated
