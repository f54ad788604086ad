#pragma once
/// \file Handles of the simulated cuSOLVER, and what every call that takes one has in common.

#include <cusolverDn.h>

#include <atomic>
#include <functional>

#include "simulated_gpu/blas_handle.hpp"

namespace matgrad::simulated {

struct SolverState {
    int device = 0;  ///< that was current when the handle was made
    cudaStream_t stream = nullptr;
    std::atomic<int> users{0};
};

/// Null, with a complaint, for what is no live handle.
[[nodiscard]] SolverState* find_solver(cusolverDnHandle_t handle, const char* function);
/// False, with a complaint, for what are no live parameters.
[[nodiscard]] bool are_parameters(cusolverDnParams_t parameters, const char* function);
/// Handles that were made and not destroyed, and parameters.
[[nodiscard]] std::size_t live_solver_handles();
[[nodiscard]] std::size_t live_solver_parameters();

/// Body of a stand-in that takes a handle.
template <typename Body>
cusolverStatus_t solver_call(const char* function, cusolverDnHandle_t handle, Body body) {
    if (const std::optional<int> code = injected_failure(function)) {
        return static_cast<cusolverStatus_t>(*code);
    }
    SolverState* const state = find_solver(handle, function);
    if (state == nullptr) {
        return CUSOLVER_STATUS_NOT_INITIALIZED;
    }
    const HandleUse use(state->users, function);
    return body(*state);
}

/// Appends work to the handle's stream.
[[nodiscard]] cusolverStatus_t enqueue_solver(const SolverState& state, const char* function,
                                              std::function<void()> task);

/// True, with a complaint and the capture made invalid, if the stream is being captured: the 64-bit
/// functions work with the host as well.
[[nodiscard]] bool refuses_capture(const SolverState& state, const char* function);

/// The buffers of one of the 64-bit functions.
struct SolverBuffers {
    void* device = nullptr;
    std::size_t device_bytes = 0;
    void* host = nullptr;
    std::size_t host_bytes = 0;

    /// As large as `needed`, and there. If so, the host's is overwritten, as the call may.
    [[nodiscard]] bool are_enough(const SolverBuffers& needed, const char* function) const;
};

/// What the bufferSize functions answer: never 0, never a multiple of anything.
[[nodiscard]] SolverBuffers buffers_for(std::int64_t rows, std::int64_t cols, cudaDataType type);

/// float with float or double with double.
[[nodiscard]] bool is_supported(cudaDataType type, cudaDataType compute);

}  // namespace matgrad::simulated
