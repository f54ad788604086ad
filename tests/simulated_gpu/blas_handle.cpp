#include "simulated_gpu/blas_handle.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

/// What cuBLAS writes of a workspace: of a long one only pieces, so that tests stay quick.
constexpr std::size_t kScribbled = 4096;
constexpr int kNaNByte = 0xFF;
constexpr std::uintptr_t kWorkspaceAlignment = 256;

struct Registry {
    std::mutex mutex;
    std::map<const void*, std::unique_ptr<BlasState>> handles;
};

/// Never destroyed: handles of static objects go back after main.
Registry& registry() {
    static Registry& live = *new Registry;
    return live;
}

void scribble(void* workspace, std::size_t bytes, int device) {
    if (bytes == 0) {
        return;
    }
    if (!is_device_range(workspace, bytes, device)) {
        report("the workspace of cuBLAS (" + std::to_string(bytes) +
               " bytes) is not memory of device " + std::to_string(device));
        return;
    }
    auto* const data = static_cast<std::byte*>(workspace);
    const std::size_t part = std::min(bytes, kScribbled);
    std::memset(data, kNaNByte, part);
    std::memset(data + (bytes - part) / 2, kNaNByte, part);
    std::memset(data + (bytes - part), kNaNByte, part);
}

}  // namespace

BlasState* find_blas(cublasHandle_t handle, const char* function) {
    const std::lock_guard lock(registry().mutex);
    const auto found = registry().handles.find(handle);
    if (found == registry().handles.end()) {
        report(std::string(function) + ": no such handle of cuBLAS");
        return nullptr;
    }
    return found->second.get();
}

std::size_t live_blas_handles() {
    const std::lock_guard lock(registry().mutex);
    return registry().handles.size();
}

void check_device(int device, cudaStream_t stream, const char* function) {
    if (current_device() != device) {
        report(std::string(function) + ": the handle is of device " + std::to_string(device) +
               ", the current one is " + std::to_string(current_device()));
    }
    if (is_stream(stream) && device_of(stream) != device) {
        report(std::string(function) + ": the handle is of device " + std::to_string(device) +
               ", its stream of device " + std::to_string(device_of(stream)));
    }
}

bool is_for_host(const void* data, const char* name, const char* function) {
    if (data != nullptr && is_device_range(data, 1)) {
        report(std::string(function) + ": " + name + " is device memory, the host uses it");
        return false;
    }
    return true;
}

cublasStatus_t enqueue_blas(const BlasState& state, const char* function,
                            std::function<void()> task) {
    check_device(state.device, state.stream, function);
    if (!state.workspace_is_set) {
        report(std::string(function) + ": no cublasSetWorkspace since the last cublasSetStream");
    }
    const auto run = [task = std::move(task), workspace = state.workspace,
                      bytes = state.workspace_bytes, device = state.device] {
        scribble(workspace, bytes, device);
        task();
    };
    return enqueue(state.stream, function, run) == cudaSuccess ? CUBLAS_STATUS_SUCCESS
                                                               : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    if (const std::optional<int> code = injected_failure("cublasCreate")) {
        return static_cast<cublasStatus_t>(*code);
    }
    if (handle == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (machine_state() != cudaSuccess || forbidden_while_capturing("cublasCreate")) {
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    auto state = std::make_unique<BlasState>();
    state->device = current_device();
    *handle = reinterpret_cast<cublasHandle_t>(state.get());
    const std::lock_guard lock(registry().mutex);
    registry().handles[*handle] = std::move(state);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    if (const std::optional<int> code = injected_failure("cublasDestroy")) {
        return static_cast<cublasStatus_t>(*code);
    }
    BlasState* const state = find_blas(handle, "cublasDestroy");
    // It waits for the device.
    if (state == nullptr || forbidden_while_capturing("cublasDestroy")) {
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    if (state->users > 0) {
        report("cublasDestroy: another thread uses the handle");
    }
    const std::lock_guard lock(registry().mutex);
    registry().handles.erase(handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int* version) {
    return blas_call("cublasGetVersion", handle, [&](BlasState&) {
        if (version == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        *version = CUBLAS_VERSION;
        return CUBLAS_STATUS_SUCCESS;
    });
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
    if (const std::optional<int> code = injected_failure("cublasGetProperty")) {
        return static_cast<cublasStatus_t>(*code);
    }
    if (value == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *value = type == MAJOR_VERSION   ? CUBLAS_VER_MAJOR
             : type == MINOR_VERSION ? CUBLAS_VER_MINOR
                                     : CUBLAS_VER_PATCH;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    return blas_call("cublasSetStream", handle, [&](BlasState& state) {
        if (!is_stream(stream)) {
            report("cublasSetStream: no such stream");
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        state.stream = stream;
        // From here on the library would take memory of its own, and share it between streams.
        state.workspace = nullptr;
        state.workspace_bytes = 0;
        state.workspace_is_set = false;
        return CUBLAS_STATUS_SUCCESS;
    });
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
    return blas_call("cublasSetWorkspace", handle, [&](BlasState& state) {
        if (reinterpret_cast<std::uintptr_t>(workspace) % kWorkspaceAlignment != 0) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        state.workspace = workspace;
        state.workspace_bytes = bytes;
        state.workspace_is_set = true;
        return CUBLAS_STATUS_SUCCESS;
    });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    return blas_call("cublasSetMathMode", handle, [&](BlasState& state) {
        if (mode != CUBLAS_DEFAULT_MATH && mode != CUBLAS_TF32_TENSOR_OP_MATH &&
            mode != CUBLAS_PEDANTIC_MATH) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        state.math = mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

const char* cublasGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_ALLOC_FAILED:
            return "CUBLAS_STATUS_ALLOC_FAILED";
        case CUBLAS_STATUS_INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case CUBLAS_STATUS_ARCH_MISMATCH:
            return "CUBLAS_STATUS_ARCH_MISMATCH";
        case CUBLAS_STATUS_MAPPING_ERROR:
            return "CUBLAS_STATUS_MAPPING_ERROR";
        case CUBLAS_STATUS_EXECUTION_FAILED:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case CUBLAS_STATUS_INTERNAL_ERROR:
            return "CUBLAS_STATUS_INTERNAL_ERROR";
        case CUBLAS_STATUS_NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
        case CUBLAS_STATUS_LICENSE_ERROR:
            return "CUBLAS_STATUS_LICENSE_ERROR";
    }
    return "unknown cublasStatus_t";
}

const char* cublasGetStatusString(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS:
            return "success";
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "the library was not initialized";
        case CUBLAS_STATUS_ALLOC_FAILED:
            return "a resource could not be allocated";
        case CUBLAS_STATUS_INVALID_VALUE:
            return "an argument has a value that is not allowed";
        case CUBLAS_STATUS_ARCH_MISMATCH:
            return "the device lacks what the function needs";
        case CUBLAS_STATUS_MAPPING_ERROR:
            return "memory could not be accessed";
        case CUBLAS_STATUS_EXECUTION_FAILED:
            return "the work could not be run on the device";
        case CUBLAS_STATUS_INTERNAL_ERROR:
            return "an operation inside the library failed";
        case CUBLAS_STATUS_NOT_SUPPORTED:
            return "the function does not support these arguments";
        case CUBLAS_STATUS_LICENSE_ERROR:
            return "the license does not allow it";
    }
    return "unknown status";
}

}  // extern "C"
