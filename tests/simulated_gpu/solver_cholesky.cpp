// cusolverDn{S,D}potrfBatched, cusolverDnXpotrf with its bufferSize.

#include <algorithm>
#include <cstring>
#include <limits>

#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"
#include "simulated_gpu/solver_handle.hpp"

namespace matgrad::simulated {
namespace {

constexpr std::int64_t kInt = sizeof(int);
constexpr int kNaNByte = 0xFF;
/// No smaller alignment is promised to be enough.
constexpr std::int64_t kBufferAlignment = 256;

bool is_triangle(cublasFillMode_t uplo) {
    return uplo == CUBLAS_FILL_MODE_LOWER || uplo == CUBLAS_FILL_MODE_UPPER;
}

/// potrfBatched takes the other triangle for its work ("is destroyed", says its documentation), so it
/// comes back as NaN. Xpotrf leaves it alone.
template <typename T>
void destroy_other_triangle(bool lower, std::int64_t n, T* a, std::int64_t ld) {
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = lower ? 0 : j + 1; i < (lower ? j : n); ++i) {
            a[i + j * ld] = std::numeric_limits<T>::quiet_NaN();
        }
    }
}

template <typename T>
cusolverStatus_t batched(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo,
                         int n, T* const* a, int lda, int* info, int batch) {
    return solver_call(function, handle, [&](SolverState& state) {
        if (!is_triangle(uplo) || n < 0 || lda < std::max(1, n) || batch < 0) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (n == 0 || batch == 0) {
            return CUSOLVER_STATUS_SUCCESS;
        }
        if (a == nullptr || info == nullptr) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        const bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
        const Matrices<T> matrices{"Aarray", n, n, lda, nullptr, 0, a};
        return enqueue_solver(state, function, [=, device = state.device] {
            Footprint footprint(device, batch);
            footprint.writes(matrices);
            footprint.writes("infoArray", info, batch * kInt, kInt);
            if (!footprint.is_sound()) {
                return;
            }
            for (int p = 0; p < batch; ++p) {
                info[p] = potrf(lower, n, matrices.of(p), lda);
                destroy_other_triangle(lower, n, matrices.of(p), lda);
            }
        });
    });
}

/// One call of cusolverDnXpotrf with everything checked.
struct Single {
    bool lower = true;
    std::int64_t n = 0, lda = 1;
    void* device_buffer = nullptr;
    std::size_t buffer_bytes = 0;
    int* info = nullptr;
};

template <typename T>
cusolverStatus_t single(const SolverState& state, const Single& call, T* a) {
    return enqueue_solver(state, "cusolverDnXpotrf", [=, device = state.device] {
        Footprint footprint(device, 1);
        footprint.writes(Matrices<T>{"A", call.n, call.n, call.lda, a, 0, nullptr});
        footprint.writes("bufferOnDevice", call.device_buffer,
                         static_cast<std::int64_t>(call.buffer_bytes), kBufferAlignment);
        footprint.writes("info", call.info, kInt, kInt);
        if (!footprint.is_sound()) {
            return;
        }
        std::memset(call.device_buffer, kNaNByte, call.buffer_bytes);
        *call.info = potrf(call.lower, call.n, a, call.lda);
    });
}

bool are_valid(cublasFillMode_t uplo, std::int64_t n, std::int64_t lda) {
    return is_triangle(uplo) && n >= 0 && lda >= std::max<std::int64_t>(1, n);
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cusolverStatus_t cusolverDnSpotrfBatched(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n,
                                         float* a[], int lda, int* info, int batch) {
    return batched<float>("cusolverDnSpotrfBatched", handle, uplo, n, a, lda, info, batch);
}

cusolverStatus_t cusolverDnDpotrfBatched(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n,
                                         double* a[], int lda, int* info, int batch) {
    return batched<double>("cusolverDnDpotrfBatched", handle, uplo, n, a, lda, info, batch);
}

cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t params,
                                             cublasFillMode_t uplo, int64_t n, cudaDataType type,
                                             const void* /*a*/, int64_t lda, cudaDataType compute,
                                             size_t* device_bytes, size_t* host_bytes) {
    constexpr const char* kName = "cusolverDnXpotrf_bufferSize";
    return solver_call(kName, handle, [&](SolverState&) {
        if (!are_parameters(params, kName) || !are_valid(uplo, n, lda) || device_bytes == nullptr ||
            host_bytes == nullptr) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (!is_supported(type, compute)) {
            return CUSOLVER_STATUS_NOT_SUPPORTED;
        }
        const SolverBuffers needed = buffers_for(n, n, type);
        *device_bytes = needed.device_bytes;
        *host_bytes = needed.host_bytes;
        return CUSOLVER_STATUS_SUCCESS;
    });
}

cusolverStatus_t cusolverDnXpotrf(cusolverDnHandle_t handle, cusolverDnParams_t params,
                                  cublasFillMode_t uplo, int64_t n, cudaDataType type, void* a,
                                  int64_t lda, cudaDataType compute, void* device_buffer,
                                  size_t device_bytes, void* host_buffer, size_t host_bytes,
                                  int* info) {
    constexpr const char* kName = "cusolverDnXpotrf";
    return solver_call(kName, handle, [&](SolverState& state) {
        if (!are_parameters(params, kName) || !are_valid(uplo, n, lda)) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (!is_supported(type, compute)) {
            return CUSOLVER_STATUS_NOT_SUPPORTED;
        }
        if (refuses_capture(state, kName)) {
            return CUSOLVER_STATUS_EXECUTION_FAILED;
        }
        if (n == 0) {
            return CUSOLVER_STATUS_SUCCESS;
        }
        const SolverBuffers needed = buffers_for(n, n, type);
        const SolverBuffers given{device_buffer, device_bytes, host_buffer, host_bytes};
        if (a == nullptr || info == nullptr || !given.are_enough(needed, kName)) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        const Single call{
            uplo == CUBLAS_FILL_MODE_LOWER, n, lda, device_buffer, needed.device_bytes, info};
        return type == CUDA_R_64F ? single(state, call, static_cast<double*>(a))
                                  : single(state, call, static_cast<float*>(a));
    });
}

}  // extern "C"
