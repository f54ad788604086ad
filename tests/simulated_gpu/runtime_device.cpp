// Devices, versions and errors.

#include <cstring>

#include "simulated_gpu/machine.hpp"

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

namespace {

thread_local cudaError_t last_error = cudaSuccess;

// A GPU of compute capability 9.0, smaller than any that is sold.
constexpr int kMajor = 9, kMinor = 0;
constexpr int kMultiprocessors = 4;
constexpr int kThreadsPerBlock = 1024;
constexpr int kSharedPerBlock = 48 << 10;
constexpr int kSharedOptIn = 227 << 10;
constexpr int kSharedPerMultiprocessor = 228 << 10;
constexpr int kThreadsPerMultiprocessor = 2048;
constexpr int kBlocksPerMultiprocessor = 32;
constexpr int kRegisters = 65536;
constexpr int kL2Bytes = 4 << 20;
constexpr int kGridX = 2147483647;
constexpr int kGridYZ = 65535;

bool exists(int device) {
    return device >= 0 && static_cast<std::size_t>(device) < simulation().devices.size();
}

struct Named {
    cudaError_t code;
    const char* name;
    const char* text;
};

const Named kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidKernelImage, "cudaErrorInvalidKernelImage", "device kernel image is invalid"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState",
     "the operation cannot be performed in the present state"},
    {cudaErrorSymbolNotFound, "cudaErrorSymbolNotFound", "named symbol not found"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources",
     "too many resources requested for launch"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge",
     "operation would result in a merge of separate capture sequences"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "capture was not ended in the same stream as it began"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

const Named& named(cudaError_t code) {
    static const Named unknown = {cudaErrorUnknown, "unrecognized error code",
                                  "unrecognized error code"};
    for (const Named& error : kErrors) {
        if (error.code == code) {
            return error;
        }
    }
    return unknown;
}

}  // namespace

cudaError_t matgrad::simulated::remember(cudaError_t code) {
    if (code != cudaSuccess && code != cudaErrorNotReady) {
        last_error = code;
    }
    return code;
}

void matgrad::simulated::forget_last_error() {
    last_error = cudaSuccess;
}

extern "C" {

const char* cudaGetErrorName(cudaError_t code) {
    return named(code).name;
}

const char* cudaGetErrorString(cudaError_t code) {
    return named(code).text;
}

/// What breaks a device stays.
cudaError_t cudaGetLastError() {
    const std::lock_guard lock(simulation().mutex);
    const cudaError_t code = std::exchange(last_error, cudaSuccess);
    return exists(current_device()) && machine_state() != cudaSuccess ? machine_state() : code;
}

cudaError_t cudaPeekAtLastError() {
    const std::lock_guard lock(simulation().mutex);
    return exists(current_device()) && machine_state() != cudaSuccess ? machine_state()
                                                                      : last_error;
}

cudaError_t cudaGetDeviceCount(int* count) {
    const std::lock_guard lock(simulation().mutex);
    if (count == nullptr) {
        return remember(cudaErrorInvalidValue);
    }
    *count = 0;
    if (const std::optional<int> code = injected_failure("cudaGetDeviceCount")) {
        return remember(static_cast<cudaError_t>(*code));
    }
    const cudaError_t code = machine_state();
    if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice) {
        return remember(code);
    }
    *count = static_cast<int>(simulation().devices.size());
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
    return runtime_call("cudaGetDevice", [&] {
        if (device == nullptr) {
            return cudaErrorInvalidValue;
        }
        *device = current_device();
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int device) {
    const std::lock_guard lock(simulation().mutex);
    if (const std::optional<int> code = injected_failure("cudaSetDevice")) {
        return remember(static_cast<cudaError_t>(*code));
    }
    const cudaError_t code = machine_state();
    if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice) {
        return remember(code);
    }
    if (!exists(device)) {
        return remember(cudaErrorInvalidDevice);
    }
    set_current_device(device);
    return remember(machine_state());
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    return runtime_call("cudaGetDeviceProperties", [&] {
        if (properties == nullptr) {
            return cudaErrorInvalidValue;
        }
        if (!exists(device)) {
            return cudaErrorInvalidDevice;
        }
        *properties = {};
        std::strncpy(properties->name, "Simulated GPU", sizeof(properties->name) - 1);
        properties->major = kMajor;
        properties->minor = kMinor;
        properties->totalGlobalMem = simulation().machine.device_memory;
        properties->multiProcessorCount = kMultiprocessors;
        properties->warpSize = 32;
        properties->maxThreadsPerBlock = kThreadsPerBlock;
        properties->maxThreadsDim[0] = kThreadsPerBlock;
        properties->maxThreadsDim[1] = kThreadsPerBlock;
        properties->maxThreadsDim[2] = 64;
        properties->maxGridSize[0] = kGridX;
        properties->maxGridSize[1] = kGridYZ;
        properties->maxGridSize[2] = kGridYZ;
        properties->sharedMemPerBlock = kSharedPerBlock;
        properties->sharedMemPerBlockOptin = kSharedOptIn;
        properties->sharedMemPerMultiprocessor = kSharedPerMultiprocessor;
        properties->reservedSharedMemPerBlock = 1024;
        properties->regsPerBlock = kRegisters;
        properties->regsPerMultiprocessor = kRegisters;
        properties->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
        properties->maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
        properties->totalConstMem = 64 << 10;
        properties->l2CacheSize = kL2Bytes;
        properties->unifiedAddressing = 1;
        properties->canMapHostMemory = 1;
        properties->concurrentKernels = 1;
        properties->asyncEngineCount = 2;
        properties->streamPrioritiesSupported = 1;
        properties->textureAlignment = 512;
        properties->pciBusID = device + 1;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    return runtime_call("cudaDeviceGetAttribute", [&] {
        if (value == nullptr) {
            return cudaErrorInvalidValue;
        }
        if (!exists(device)) {
            return cudaErrorInvalidDevice;
        }
        switch (attribute) {
            case cudaDevAttrComputeCapabilityMajor:
                *value = kMajor;
                break;
            case cudaDevAttrComputeCapabilityMinor:
                *value = kMinor;
                break;
            case cudaDevAttrMultiProcessorCount:
                *value = kMultiprocessors;
                break;
            case cudaDevAttrWarpSize:
                *value = 32;
                break;
            case cudaDevAttrMaxThreadsPerBlock:
                *value = kThreadsPerBlock;
                break;
            case cudaDevAttrMaxThreadsPerMultiProcessor:
                *value = kThreadsPerMultiprocessor;
                break;
            case cudaDevAttrMaxBlocksPerMultiprocessor:
                *value = kBlocksPerMultiprocessor;
                break;
            case cudaDevAttrMaxSharedMemoryPerBlock:
                *value = kSharedPerBlock;
                break;
            case cudaDevAttrMaxSharedMemoryPerBlockOptin:
                *value = kSharedOptIn;
                break;
            case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
                *value = kSharedPerMultiprocessor;
                break;
            case cudaDevAttrMaxRegistersPerBlock:
                *value = kRegisters;
                break;
            case cudaDevAttrMaxGridDimX:
                *value = kGridX;
                break;
            case cudaDevAttrMaxGridDimY:
                *value = kGridYZ;
                break;
            case cudaDevAttrMaxGridDimZ:
                *value = kGridYZ;
                break;
            case cudaDevAttrL2CacheSize:
                *value = kL2Bytes;
                break;
            case cudaDevAttrUnifiedAddressing:
                *value = 1;
                break;
            case cudaDevAttrConcurrentKernels:
                *value = 1;
                break;
            case cudaDevAttrMemoryPoolsSupported:
                *value = 1;
                break;
            case cudaDevAttrComputeMode:
                *value = simulation().machine.compute_mode;
                break;
            case cudaDevAttrAsyncEngineCount:
                *value = 2;
                break;
            default:
                report("cudaDeviceGetAttribute: the simulation does not know attribute " +
                       std::to_string(static_cast<int>(attribute)));
                return cudaErrorInvalidValue;
        }
        return cudaSuccess;
    });
}

/// 0 where there is no driver.
cudaError_t cudaDriverGetVersion(int* version) {
    if (version == nullptr) {
        return remember(cudaErrorInvalidValue);
    }
    const std::lock_guard lock(simulation().mutex);
    *version = simulation().machine.driver;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    if (version == nullptr) {
        return remember(cudaErrorInvalidValue);
    }
    *version = CUDART_VERSION;
    return cudaSuccess;
}

}  // extern "C"
