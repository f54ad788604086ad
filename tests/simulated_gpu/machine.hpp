#pragma once
/// \file State of the simulated machine. One lock guards all of it, and tasks run under it.

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "simulated_gpu/memory.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

struct StreamState;
struct Capture;

/// A place in a stream: what an event holds.
struct Mark {
    std::weak_ptr<StreamState> stream;
    bool reached = false;
    std::chrono::steady_clock::time_point when;
};

struct Task {
    std::string what;
    std::function<void()> run;        ///< may be empty
    std::shared_ptr<Mark> waits_for;  ///< may be null
    std::shared_ptr<Mark> reaches;    ///< may be null
};

struct StreamState {
    const unsigned long long number = ++numbers;
    int device = 0;
    unsigned flags = 0;
    bool is_default = false;
    bool destroyed = false;
    std::deque<Task> tasks;
    std::shared_ptr<Capture> capture;  ///< null unless it is being captured
    std::vector<int> capture_tail;     ///< nodes that the next one depends on

private:
    static inline std::atomic<unsigned long long> numbers = 0;
};

/// A step of a graph.
struct Node {
    std::string what;
    std::function<void()> run;
    std::vector<int> after;
};

struct Capture {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    std::thread::id thread;
    std::shared_ptr<StreamState> origin;
    bool invalid = false;
    std::vector<Node> nodes;
    std::vector<std::shared_ptr<StreamState>> members;
};

struct EventState {
    int device = 0;
    unsigned flags = 0;
    bool destroyed = false;
    std::shared_ptr<Mark> mark;         ///< null until recorded
    std::shared_ptr<Capture> captured;  ///< of the last record, if that was captured
    std::vector<int> captured_tail;
};

struct DeviceState {
    cudaError_t broken = cudaSuccess;
    std::size_t used = 0, peak = 0;
    std::shared_ptr<StreamState> default_stream;
};

struct Failure {
    std::string prefix;
    int countdown = 0;
    int code = 0;
};

struct Simulation {
    std::recursive_mutex mutex;
    Machine machine;
    Schedule schedule;
    std::mt19937_64 random;
    std::vector<DeviceState> devices;
    /// Destroyed streams and events stay, so that their handles are never given out again.
    std::map<const void*, std::shared_ptr<StreamState>> streams;
    std::map<const void*, std::shared_ptr<EventState>> events;
    std::vector<std::shared_ptr<StreamState>> busy;  ///< with tasks
    std::vector<std::shared_ptr<Capture>> captures;  ///< in progress
    Memory memory;
    std::size_t pinned = 0;
    std::vector<std::string> complaints;
    std::string running;  ///< what the task that runs now is
    std::map<std::string, std::int64_t> calls;
    std::vector<Failure> failures;
    std::vector<Launch> launches;
    bool is_profiling = false;

    Simulation();
    [[nodiscard]] bool chance(double p) {
        return p > 0 && std::uniform_real_distribution<double>()(random) < p;
    }
    /// One of 0, ..., count - 1.
    [[nodiscard]] std::size_t pick(std::size_t count) { return random() % count; }
};

[[nodiscard]] Simulation& simulation();

/// The calling thread's.
[[nodiscard]] int current_device();
void set_current_device(int device);
/// Sets what cudaGetLastError of this thread answers, unless `code` is a success or "not ready".
cudaError_t remember(cudaError_t code);
void forget_last_error();

/// No driver, no device, or the current device is broken.
[[nodiscard]] cudaError_t machine_state();

/// Body of a stand-in of the runtime: takes the lock, counts, fails where asked to.
template <typename Body>
cudaError_t runtime_call(const char* name, Body body) {
    const std::lock_guard lock(simulation().mutex);
    if (const std::optional<int> code = injected_failure(name)) {
        return remember(static_cast<cudaError_t>(*code));
    }
    if (const cudaError_t code = machine_state(); code != cudaSuccess) {
        return remember(code);
    }
    return remember(body());
}

/// The same for a stand-in that gives something back, which a broken device does not hinder.
template <typename Body>
cudaError_t release_call(const char* name, Body body) {
    const std::lock_guard lock(simulation().mutex);
    if (const std::optional<int> code = injected_failure(name)) {
        return remember(static_cast<cudaError_t>(*code));
    }
    const cudaError_t code = body();
    const cudaError_t state = machine_state();
    return remember(state != cudaSuccess ? state : code);
}

/// The stream of a handle (the current device's default stream for null); null with a complaint if
/// there is none.
[[nodiscard]] std::shared_ptr<StreamState> find_stream(cudaStream_t stream, const char* function);
[[nodiscard]] std::shared_ptr<EventState> find_event(cudaEvent_t event, const char* function);

/// Appends to a stream or to its capture.
cudaError_t append(const std::shared_ptr<StreamState>& stream, Task task);
/// Runs tasks until `mark` is reached; those of other streams as the schedule has it.
void run_until(const std::shared_ptr<Mark>& mark);
/// Runs what the stream holds now.
void run_all(const std::shared_ptr<StreamState>& stream);
/// Runs everything on a device; on all with -1.
void run_device(int device);
/// One step towards the end of a stream, sometimes: what polling sees.
void run_a_little(const std::shared_ptr<StreamState>& stream);

/// The code for a call that may not be made now, with the capture it touches made invalid.
[[nodiscard]] cudaError_t forbid_while_capturing();
/// The code for work on the default stream while a capture is in progress.
[[nodiscard]] cudaError_t forbid_default_stream(const StreamState& stream);
/// A stream waits for an event recorded in a capture: it joins, or the captures are mixed up.
[[nodiscard]] cudaError_t wait_in_capture(const std::shared_ptr<StreamState>& stream,
                                          const EventState& event);
/// Makes the capture of a stream invalid.
cudaError_t invalidate(const std::shared_ptr<Capture>& capture, cudaError_t code);

}  // namespace matgrad::simulated
