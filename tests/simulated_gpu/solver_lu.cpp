// cusolverDnXgetrf with its bufferSize, cusolverDnXgetrs.

#include <algorithm>
#include <cstring>

#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"
#include "simulated_gpu/solver_handle.hpp"

namespace matgrad::simulated {
namespace {

constexpr std::int64_t kInt = sizeof(int);
constexpr std::int64_t kPivot = sizeof(std::int64_t);
constexpr int kNaNByte = 0xFF;
/// No smaller alignment is promised to be enough.
constexpr std::int64_t kBufferAlignment = 256;

struct Factoring {
    std::int64_t m = 0, n = 0, lda = 1;
    std::int64_t* pivots = nullptr;
    void* device_buffer = nullptr;
    std::size_t buffer_bytes = 0;
    int* info = nullptr;
};

template <typename T>
cusolverStatus_t factor(const SolverState& state, const Factoring& call, T* a) {
    return enqueue_solver(state, "cusolverDnXgetrf", [=, device = state.device] {
        Footprint footprint(device, 1);
        footprint.writes(Matrices<T>{"A", call.m, call.n, call.lda, a, 0, nullptr});
        if (call.pivots != nullptr) {
            footprint.writes("ipiv", call.pivots, std::min(call.m, call.n) * kPivot, kPivot);
        }
        footprint.writes("bufferOnDevice", call.device_buffer,
                         static_cast<std::int64_t>(call.buffer_bytes), kBufferAlignment);
        footprint.writes("info", call.info, kInt, kInt);
        if (!footprint.is_sound()) {
            return;
        }
        std::memset(call.device_buffer, kNaNByte, call.buffer_bytes);
        *call.info = getrf(call.m, call.n, a, call.lda, call.pivots);
    });
}

struct Solving {
    bool transposed = false;
    std::int64_t n = 0, nrhs = 0, lda = 1, ldb = 1;
    const std::int64_t* pivots = nullptr;
    int* info = nullptr;
};

template <typename T>
cusolverStatus_t solve(const SolverState& state, const Solving& call, const T* a, T* b) {
    return enqueue_solver(state, "cusolverDnXgetrs", [=, device = state.device] {
        Footprint footprint(device, 1);
        footprint.reads(Matrices<const T>{"A", call.n, call.n, call.lda, a, 0, nullptr});
        if (call.pivots != nullptr) {
            footprint.reads("ipiv", call.pivots, call.n * kPivot, kPivot);
        }
        footprint.writes(Matrices<T>{"B", call.n, call.nrhs, call.ldb, b, 0, nullptr});
        footprint.writes("info", call.info, kInt, kInt);
        if (!footprint.is_sound()) {
            return;
        }
        *call.info = 0;
        if (!getrs(call.transposed, call.n, call.nrhs, a, call.lda, call.pivots, b, call.ldb)) {
            report("ipiv holds no pivots");
        }
    });
}

bool are_valid(std::int64_t m, std::int64_t n, std::int64_t lda) {
    return m >= 0 && n >= 0 && lda >= std::max<std::int64_t>(1, m);
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cusolverStatus_t cusolverDnXgetrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t params,
                                             int64_t m, int64_t n, cudaDataType type,
                                             const void* /*a*/, int64_t lda, cudaDataType compute,
                                             size_t* device_bytes, size_t* host_bytes) {
    constexpr const char* kName = "cusolverDnXgetrf_bufferSize";
    return solver_call(kName, handle, [&](SolverState&) {
        if (!are_parameters(params, kName) || !are_valid(m, n, lda) || device_bytes == nullptr ||
            host_bytes == nullptr) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (!is_supported(type, compute)) {
            return CUSOLVER_STATUS_NOT_SUPPORTED;
        }
        const SolverBuffers needed = buffers_for(m, n, type);
        *device_bytes = needed.device_bytes;
        *host_bytes = needed.host_bytes;
        return CUSOLVER_STATUS_SUCCESS;
    });
}

cusolverStatus_t cusolverDnXgetrf(cusolverDnHandle_t handle, cusolverDnParams_t params, int64_t m,
                                  int64_t n, cudaDataType type, void* a, int64_t lda,
                                  int64_t* pivots, cudaDataType compute, void* device_buffer,
                                  size_t device_bytes, void* host_buffer, size_t host_bytes,
                                  int* info) {
    constexpr const char* kName = "cusolverDnXgetrf";
    return solver_call(kName, handle, [&](SolverState& state) {
        if (!are_parameters(params, kName) || !are_valid(m, n, lda)) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (!is_supported(type, compute)) {
            return CUSOLVER_STATUS_NOT_SUPPORTED;
        }
        if (refuses_capture(state, kName)) {
            return CUSOLVER_STATUS_EXECUTION_FAILED;
        }
        if (m == 0 || n == 0) {
            return CUSOLVER_STATUS_SUCCESS;
        }
        const SolverBuffers needed = buffers_for(m, n, type);
        const SolverBuffers given{device_buffer, device_bytes, host_buffer, host_bytes};
        if (a == nullptr || info == nullptr || !given.are_enough(needed, kName)) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        const Factoring call{m, n, lda, pivots, device_buffer, needed.device_bytes, info};
        return type == CUDA_R_64F ? factor(state, call, static_cast<double*>(a))
                                  : factor(state, call, static_cast<float*>(a));
    });
}

cusolverStatus_t cusolverDnXgetrs(cusolverDnHandle_t handle, cusolverDnParams_t params,
                                  cublasOperation_t trans, int64_t n, int64_t nrhs,
                                  cudaDataType type, const void* a, int64_t lda,
                                  const int64_t* pivots, cudaDataType b_type, void* b, int64_t ldb,
                                  int* info) {
    constexpr const char* kName = "cusolverDnXgetrs";
    return solver_call(kName, handle, [&](SolverState& state) {
        const bool known = trans == CUBLAS_OP_N || trans == CUBLAS_OP_T || trans == CUBLAS_OP_C;
        if (!are_parameters(params, kName) || !known || nrhs < 0 || !are_valid(n, n, lda) ||
            ldb < std::max<std::int64_t>(1, n)) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        if (!is_supported(type, b_type)) {
            return CUSOLVER_STATUS_NOT_SUPPORTED;
        }
        if (refuses_capture(state, kName)) {
            return CUSOLVER_STATUS_EXECUTION_FAILED;
        }
        if (n == 0 || nrhs == 0) {
            return CUSOLVER_STATUS_SUCCESS;
        }
        if (a == nullptr || b == nullptr || info == nullptr) {
            return CUSOLVER_STATUS_INVALID_VALUE;
        }
        const Solving call{trans != CUBLAS_OP_N, n, nrhs, lda, ldb, pivots, info};
        return type == CUDA_R_64F
                   ? solve(state, call, static_cast<const double*>(a), static_cast<double*>(b))
                   : solve(state, call, static_cast<const float*>(a), static_cast<float*>(b));
    });
}

}  // extern "C"
