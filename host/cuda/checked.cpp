#include "cuda/checked.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace matgrad::gpu {
namespace {

std::string_view name_of(const char* call) {
    const std::string_view text(call);
    return text.substr(0, text.find('('));
}

std::string_view file_name(const char* path) {
    const std::string_view text(path);
    return text.substr(text.rfind('/') + 1);
}

[[noreturn]] void fail(const char* call, const std::string& code, const std::string& meaning,
                       bool out_of_memory, bool device_lost, const char* file, int line) {
    throw CudaError(
        fmt::format("{} failed with {}: {}{} ({}:{})", name_of(call), code, meaning,
                    device_lost ? "; the device cannot be used by this process any more" : "",
                    file_name(file), line),
        out_of_memory, device_lost);
}

/// Errors after which every later call answers the same.
bool breaks_the_context(cudaError_t code) {
    switch (code) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorAssert:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorDevicesUnavailable:
            return true;
        default:
            return false;
    }
}

}  // namespace

void check(cudaError_t code, const char* call, const char* file, int line) {
    if (code == cudaSuccess) {
        return;
    }
    (void)cudaGetLastError();  // what is told here is not told again by the next call
    fail(call, cudaGetErrorName(code), cudaGetErrorString(code), code == cudaErrorMemoryAllocation,
         breaks_the_context(code), file, line);
}

void check(cublasStatus_t code, const char* call, const char* file, int line) {
    if (code != CUBLAS_STATUS_SUCCESS) {
        fail(call, cublasGetStatusName(code), cublasGetStatusString(code),
             code == CUBLAS_STATUS_ALLOC_FAILED, false, file, line);
    }
}

void check(cusolverStatus_t code, const char* call, const char* file, int line) {
    if (code != CUSOLVER_STATUS_SUCCESS) {
        fail(call, fmt::format("cusolverStatus_t {}", static_cast<int>(code)),
             code == CUSOLVER_STATUS_ALLOC_FAILED       ? "no memory"
             : code == CUSOLVER_STATUS_INVALID_VALUE    ? "an invalid argument"
             : code == CUSOLVER_STATUS_EXECUTION_FAILED ? "a kernel could not be launched"
                                                        : "see its documentation",
             code == CUSOLVER_STATUS_ALLOC_FAILED, false, file, line);
    }
}

void check(nvrtcResult code, const char* call, const char* file, int line) {
    if (code != NVRTC_SUCCESS) {
        fail(call, fmt::format("nvrtcResult {}", static_cast<int>(code)), nvrtcGetErrorString(code),
             code == NVRTC_ERROR_OUT_OF_MEMORY, false, file, line);
    }
}

}  // namespace matgrad::gpu
