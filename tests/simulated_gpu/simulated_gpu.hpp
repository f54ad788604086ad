#pragma once
/// \file The simulated GPU, as tests and the stand-ins of the libraries see it.
///
/// Device memory is host memory. What is enqueued on a stream runs late: at the earliest when something
/// synchronises, in an order between streams that a seed decides. Everything runs in one thread at a
/// time, so a run is repeated exactly by its seed. Violations of CUDA's rules that real hardware may
/// leave unnoticed are collected as complaints.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "simulated_gpu/profile.hpp"

namespace matgrad::simulated {

// --- For stand-ins -------------------------------------------------------------------------------

/// Appends a task to a stream; while the stream is being captured, a node to its graph. The task may
/// run several times (graphs), so it owns what it needs, and it calls nothing of CUDA.
///
/// Returns  cudaErrorInvalidResourceHandle for a stream that does not exist, the code of a broken
///          device, cudaErrorStreamCaptureInvalidated.
cudaError_t enqueue(cudaStream_t stream, const char* what, std::function<void()> task);

/// The bytes lie inside one live allocation of the device. 0 bytes do, wherever they are.
[[nodiscard]] bool is_device_range(const void* data, std::size_t bytes, int device);
/// The same for any device.
[[nodiscard]] bool is_device_range(const void* data, std::size_t bytes);

/// Collects a violation; it is preceded by the name of the running task.
void report(const std::string& violation);

/// Counts a call, and says if it has to fail and with which code. The first thing every stand-in does.
[[nodiscard]] std::optional<int> injected_failure(const char* function);

/// True, with the capture in progress made invalid, if this thread may not call now what allocates or
/// waits: cublasCreate, cusolverDnCreate and the like.
[[nodiscard]] bool forbidden_while_capturing(const char* function);

/// The device of a stream; the current one for the default stream; -1 if there is no such stream.
[[nodiscard]] int device_of(cudaStream_t stream);
/// The stream can be enqueued on.
[[nodiscard]] bool is_stream(cudaStream_t stream);

// --- For tests -----------------------------------------------------------------------------------

/// The machine. `devices` 0: no device; `driver` 0: no driver.
struct Machine {
    int devices = 1;
    std::size_t device_memory = std::size_t{1} << 30;  ///< of each
    int driver = CUDART_VERSION;
    /// Host code that touches device memory ends the program (SIGSEGV), as it does on a real machine.
    /// Slow where there are many allocations.
    bool strict = false;
    int compute_mode = cudaComputeModeDefault;
};

/// When tasks run.
struct Schedule {
    std::uint64_t seed = 1;
    /// Share of the steps at which any stream may go on, not just those that are waited for. 0: every
    /// task as late as it can, 1: random order.
    double eagerness = 0.25;
};

/// Runs what waits; forgets complaints, counts, launches, profiling, injected failures, broken devices and the
/// last error of this thread, and starts a machine.
/// Allocations, streams and what is in them stay, unless the machine has fewer devices.
/// At start, MATGRAD_SIMULATED_PROFILE=1 asks for profiles, and
/// MATGRAD_SIMULATED_DEVICES, _MEMORY (bytes), _COMPUTE_MODE, _STRICT (1), _SEED and _EAGERNESS of the
/// environment decide.
void reset(const Machine& machine = {}, const Schedule& schedule = {});
void set_schedule(const Schedule& schedule);

/// What was reported since the last reset, guard zones of all live allocations looked at first.
[[nodiscard]] std::vector<std::string> complaints();
/// The same, and forgets them.
std::vector<std::string> take_complaints();
/// Adds a GoogleTest failure for each complaint, and forgets them.
void expect_no_complaints(const char* file = __builtin_FILE(), int line = __builtin_LINE());

/// The `nth` call from now (from 1) of a function whose name starts with `function` fails with `code`.
///
/// "cudaMalloc" with cudaErrorMemoryAllocation is a device out of memory; "cublas" any call of cuBLAS.
/// "cudaLaunchKernelExC" with cudaErrorLaunchFailure is accepted, breaks its device when it runs, and
/// every later call there answers that code.
void fail_call(const std::string& function, int nth, int code);
/// Calls since the last reset of functions whose names start with `function`; "" is all.
[[nodiscard]] std::int64_t calls(const std::string& function);

/// One launch of a kernel. Counts are of what its threads did, in device memory where nothing else is
/// said; in block memory what they did by load_shared and store_shared.
struct Launch {
    std::string kernel;
    unsigned grid = 0, block = 0;
    std::int64_t loads = 0, stores = 0;
    std::int64_t load_bytes = 0, store_bytes = 0;
    std::int64_t barriers = 0;      ///< of all blocks
    std::int64_t shared_bytes = 0;  ///< most of a block, its static arrays and its dynamic memory
    std::int64_t shared_loads = 0, shared_stores = 0;
    std::int64_t shared_load_bytes = 0, shared_store_bytes = 0;
    std::int64_t warp_barriers = 0;  ///< of all warps
    std::int64_t shuffles = 0;       ///< of all warps: from_lane, from_neighbour
    std::optional<Profile> profile;  ///< of a sample of its blocks, where asked for
};
/// From now until the next reset kernels that run are profiled, slowly: their first four blocks and the
/// last.
void profile_launches(bool is_on = true);
/// In the order in which they ran since the last reset.
[[nodiscard]] std::vector<Launch> launches();

/// Bytes that cudaMalloc has given out on a device, and cudaHostAlloc.
[[nodiscard]] std::size_t allocated_bytes(int device);
[[nodiscard]] std::size_t pinned_bytes();
/// Most of allocated_bytes since the last reset.
[[nodiscard]] std::size_t peak_bytes(int device);
/// Tasks that wait in all streams.
[[nodiscard]] std::size_t pending_tasks();
/// Of them those that do something: not where an event is or is waited for.
[[nodiscard]] std::size_t pending_operations();
/// A device has met an injected launch failure.
[[nodiscard]] bool is_broken(int device);

}  // namespace matgrad::simulated
