#pragma once
/// \file Handles of the simulated cuBLAS, and what every call that takes one has in common.

#include <cublas_v2.h>

#include <atomic>
#include <cstddef>
#include <functional>

#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

struct BlasState {
    int device = 0;  ///< that was current when the handle was made
    cudaStream_t stream = nullptr;
    void* workspace = nullptr;
    std::size_t workspace_bytes = 0;
    bool workspace_is_set = false;  ///< since the last cublasSetStream, which forgets it
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
    std::atomic<int> users{0};
};

/// Handles may serve one thread at a time.
class HandleUse {
public:
    HandleUse(std::atomic<int>& users, const char* function) : users_(users) {
        if (users_.fetch_add(1) > 0) {
            report(std::string(function) + ": two threads use one handle at the same time");
        }
    }
    ~HandleUse() { users_.fetch_sub(1); }
    HandleUse(const HandleUse&) = delete;
    HandleUse& operator=(const HandleUse&) = delete;

private:
    std::atomic<int>& users_;
};

/// Null, with a complaint, for what is no live handle.
[[nodiscard]] BlasState* find_blas(cublasHandle_t handle, const char* function);
/// Handles that were made and not destroyed.
[[nodiscard]] std::size_t live_blas_handles();

/// Body of a stand-in that takes a handle.
template <typename Body>
cublasStatus_t blas_call(const char* function, cublasHandle_t handle, Body body) {
    if (const std::optional<int> code = injected_failure(function)) {
        return static_cast<cublasStatus_t>(*code);
    }
    BlasState* const state = find_blas(handle, function);
    if (state == nullptr) {
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    const HandleUse use(state->users, function);
    return body(*state);
}

/// Appends work to the handle's stream. When it runs it first overwrites the workspace, as the
/// library may.
[[nodiscard]] cublasStatus_t enqueue_blas(const BlasState& state, const char* function,
                                          std::function<void()> task);

/// The current device and the device of the stream are that of the handle; complains if not.
void check_device(int device, cudaStream_t stream, const char* function);
/// False, with a complaint, if what the host reads or writes during the call is device memory.
[[nodiscard]] bool is_for_host(const void* data, const char* name, const char* function);

}  // namespace matgrad::simulated
