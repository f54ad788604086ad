#include "simulated_gpu/solver_handle.hpp"

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

constexpr int kNaNByte = 0xFF;

struct Registry {
    std::mutex mutex;
    std::map<const void*, std::unique_ptr<SolverState>> handles;
    std::map<const void*, std::unique_ptr<int>> parameters;
};

/// Never destroyed: handles of static objects go back after main.
Registry& registry() {
    static Registry& live = *new Registry;
    return live;
}

}  // namespace

SolverState* find_solver(cusolverDnHandle_t handle, const char* function) {
    const std::lock_guard lock(registry().mutex);
    const auto found = registry().handles.find(handle);
    if (found == registry().handles.end()) {
        report(std::string(function) + ": no such handle of cuSOLVER");
        return nullptr;
    }
    return found->second.get();
}

bool are_parameters(cusolverDnParams_t parameters, const char* function) {
    const std::lock_guard lock(registry().mutex);
    if (registry().parameters.count(parameters) == 0) {
        report(std::string(function) + ": no such parameters of cuSOLVER");
        return false;
    }
    return true;
}

std::size_t live_solver_handles() {
    const std::lock_guard lock(registry().mutex);
    return registry().handles.size();
}

std::size_t live_solver_parameters() {
    const std::lock_guard lock(registry().mutex);
    return registry().parameters.size();
}

cusolverStatus_t enqueue_solver(const SolverState& state, const char* function,
                                std::function<void()> task) {
    check_device(state.device, state.stream, function);
    return enqueue(state.stream, function, std::move(task)) == cudaSuccess
               ? CUSOLVER_STATUS_SUCCESS
               : CUSOLVER_STATUS_EXECUTION_FAILED;
}

bool refuses_capture(const SolverState& state, const char* function) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    const bool captured = cudaStreamIsCapturing(state.stream, &status) == cudaSuccess &&
                          status != cudaStreamCaptureStatusNone;
    if (captured) {
        report(std::string(function) + " while its stream is being captured");
    }
    return forbidden_while_capturing(function) || captured;
}

bool SolverBuffers::are_enough(const SolverBuffers& needed, const char* function) const {
    if (device == nullptr || host == nullptr || device_bytes < needed.device_bytes ||
        host_bytes < needed.host_bytes || !is_for_host(host, "bufferOnHost", function)) {
        return false;
    }
    std::memset(host, kNaNByte, needed.host_bytes);
    return true;
}

SolverBuffers buffers_for(std::int64_t rows, std::int64_t cols, cudaDataType type) {
    const std::int64_t size = type == CUDA_R_64F ? 8 : 4;
    SolverBuffers needed;
    needed.device_bytes = static_cast<std::size_t>(2 * size * (rows + 2 * cols) + 1237);
    needed.host_bytes = static_cast<std::size_t>(2 * cols + 517);
    return needed;
}

bool is_supported(cudaDataType type, cudaDataType compute) {
    return type == compute && (type == CUDA_R_32F || type == CUDA_R_64F);
}

}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
    if (const std::optional<int> code = injected_failure("cusolverDnCreate")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    if (handle == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    if (machine_state() != cudaSuccess || forbidden_while_capturing("cusolverDnCreate")) {
        return CUSOLVER_STATUS_NOT_INITIALIZED;
    }
    auto state = std::make_unique<SolverState>();
    state->device = current_device();
    *handle = reinterpret_cast<cusolverDnHandle_t>(state.get());
    const std::lock_guard lock(registry().mutex);
    registry().handles[*handle] = std::move(state);
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
    if (const std::optional<int> code = injected_failure("cusolverDnDestroy")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    const SolverState* const state = find_solver(handle, "cusolverDnDestroy");
    if (state == nullptr || forbidden_while_capturing("cusolverDnDestroy")) {
        return CUSOLVER_STATUS_NOT_INITIALIZED;
    }
    if (state->users > 0) {
        report("cusolverDnDestroy: another thread uses the handle");
    }
    const std::lock_guard lock(registry().mutex);
    registry().handles.erase(handle);
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverGetVersion(int* version) {
    if (const std::optional<int> code = injected_failure("cusolverGetVersion")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    if (version == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *version = CUSOLVER_VERSION;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverGetProperty(libraryPropertyType type, int* value) {
    if (const std::optional<int> code = injected_failure("cusolverGetProperty")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    if (value == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *value = type == MAJOR_VERSION   ? CUSOLVER_VER_MAJOR
             : type == MINOR_VERSION ? CUSOLVER_VER_MINOR
                                     : CUSOLVER_VER_PATCH;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
    return solver_call("cusolverDnSetStream", handle, [&](SolverState& state) {
        if (!is_stream(stream)) {
            report("cusolverDnSetStream: no such stream");
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        state.stream = stream;
        return CUSOLVER_STATUS_SUCCESS;
    });
}

cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* parameters) {
    if (const std::optional<int> code = injected_failure("cusolverDnCreateParams")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    if (parameters == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    auto state = std::make_unique<int>(0);
    *parameters = reinterpret_cast<cusolverDnParams_t>(state.get());
    const std::lock_guard lock(registry().mutex);
    registry().parameters[*parameters] = std::move(state);
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t parameters) {
    if (const std::optional<int> code = injected_failure("cusolverDnDestroyParams")) {
        return static_cast<cusolverStatus_t>(*code);
    }
    if (!are_parameters(parameters, "cusolverDnDestroyParams")) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    const std::lock_guard lock(registry().mutex);
    registry().parameters.erase(parameters);
    return CUSOLVER_STATUS_SUCCESS;
}

}  // extern "C"
