#include <algorithm>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

bool is_ready(const StreamState& stream) {
    return !stream.tasks.empty() &&
           (!stream.tasks.front().waits_for || stream.tasks.front().waits_for->reached);
}

/// The stream whose head must run for the head of `stream` to run.
std::shared_ptr<StreamState> needed_by(std::shared_ptr<StreamState> stream) {
    while (!is_ready(*stream)) {
        // A mark that is not reached is in the queue of its stream, which therefore is busy and lives.
        stream = stream->tasks.front().waits_for->stream.lock();
    }
    return stream;
}

std::shared_ptr<StreamState> any_ready(Simulation& s) {
    std::vector<std::shared_ptr<StreamState>> ready;
    std::copy_if(s.busy.begin(), s.busy.end(), std::back_inserter(ready),
                 [](const auto& stream) { return is_ready(*stream); });
    return ready.empty() ? nullptr : ready[s.pick(ready.size())];
}

void run_head(Simulation& s, const std::shared_ptr<StreamState>& stream) {
    const Task task = std::move(stream->tasks.front());
    stream->tasks.pop_front();
    if (stream->tasks.empty()) {
        s.busy.erase(std::find(s.busy.begin(), s.busy.end(), stream));
    }
    // On a broken device nothing runs, but what waits for it does not wait for ever.
    const auto device = static_cast<std::size_t>(stream->device);
    if (task.run && device < s.devices.size() && s.devices[device].broken == cudaSuccess) {
        s.running = task.what;
        const DeviceAccess access(s.memory);
        try {
            task.run();
        } catch (const std::exception& error) {
            report(std::string("the task threw: ") + error.what());
        }
        s.running.clear();
    }
    if (task.reaches) {
        task.reaches->reached = true;
        task.reaches->when = std::chrono::steady_clock::now();
    }
}

/// One step; of any stream now and then, else of what `stream` needs.
void step(Simulation& s, const std::shared_ptr<StreamState>& stream) {
    std::shared_ptr<StreamState> next = s.chance(s.schedule.eagerness) ? any_ready(s) : nullptr;
    run_head(s, next ? next : needed_by(stream));
}

}  // namespace

cudaError_t append(const std::shared_ptr<StreamState>& stream, Task task) {
    Simulation& s = simulation();
    if (stream->capture) {
        Capture& capture = *stream->capture;
        if (capture.invalid) {
            return cudaErrorStreamCaptureInvalidated;
        }
        capture.nodes.push_back(
            {std::move(task.what), std::move(task.run), std::move(stream->capture_tail)});
        stream->capture_tail = {static_cast<int>(capture.nodes.size()) - 1};
        return cudaSuccess;
    }
    if (const cudaError_t code = forbid_default_stream(*stream); code != cudaSuccess) {
        return code;
    }
    if (stream->tasks.empty()) {
        s.busy.push_back(stream);
    }
    stream->tasks.push_back(std::move(task));
    // Now and then the device is a step ahead of what is waited for.
    if (s.chance(s.schedule.eagerness / 2)) {
        if (const std::shared_ptr<StreamState> next = any_ready(s)) {
            run_head(s, next);
        }
    }
    return cudaSuccess;
}

void run_until(const std::shared_ptr<Mark>& mark) {
    const DeviceAccess access(simulation().memory);
    while (!mark->reached) {
        step(simulation(), mark->stream.lock());
    }
}

void run_all(const std::shared_ptr<StreamState>& stream) {
    const DeviceAccess access(simulation().memory);
    while (!stream->tasks.empty()) {
        step(simulation(), stream);
    }
}

void run_device(int device) {
    Simulation& s = simulation();
    const DeviceAccess access(s.memory);
    for (;;) {
        std::vector<std::shared_ptr<StreamState>> wanted;
        std::copy_if(s.busy.begin(), s.busy.end(), std::back_inserter(wanted),
                     [&](const auto& stream) { return device < 0 || stream->device == device; });
        if (wanted.empty()) {
            return;
        }
        step(s, wanted[s.pick(wanted.size())]);
    }
}

void run_a_little(const std::shared_ptr<StreamState>& stream) {
    if (!stream->tasks.empty()) {
        step(simulation(), stream);
    }
}

cudaError_t enqueue(cudaStream_t stream, const char* what, std::function<void()> task) {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    const std::shared_ptr<StreamState> state = find_stream(stream, what);
    if (!state) {
        return cudaErrorInvalidResourceHandle;
    }
    const auto device = static_cast<std::size_t>(state->device);
    if (device >= s.devices.size()) {
        return cudaErrorInvalidDevice;
    }
    if (s.devices[device].broken != cudaSuccess) {
        return s.devices[device].broken;
    }
    return append(state, {what, std::move(task), nullptr, nullptr});
}

std::size_t pending_tasks() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    std::size_t sum = 0;
    for (const auto& stream : s.busy) {
        sum += stream->tasks.size();
    }
    return sum;
}

std::size_t pending_operations() {
    Simulation& s = simulation();
    const std::lock_guard lock(s.mutex);
    std::size_t sum = 0;
    for (const auto& stream : s.busy) {
        sum += static_cast<std::size_t>(
            std::count_if(stream->tasks.begin(), stream->tasks.end(),
                          [](const Task& task) { return static_cast<bool>(task.run); }));
    }
    return sum;
}

}  // namespace matgrad::simulated
