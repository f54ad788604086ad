// cublas{S,D}getrfBatched, cublas{S,D}getrsBatched.

#include <algorithm>

#include "simulated_gpu/blas_handle.hpp"
#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"

namespace matgrad::simulated {
namespace {

constexpr std::int64_t kInt = sizeof(int);

/// A host info code, as getrsBatched gives it: minus the number of the wrong argument, the handle not
/// counted.
cublasStatus_t refuse(int* info, int argument) {
    if (info == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *info = -argument;
    return CUBLAS_STATUS_INVALID_VALUE;
}

template <typename T>
cublasStatus_t getrf_call(const char* function, cublasHandle_t handle, int n, T* const* a, int lda,
                          int* pivots, int* info, int batch) {
    return blas_call(function, handle, [&](BlasState& state) {
        if (n < 0 || lda < std::max(1, n) || batch < 0) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (n == 0 || batch == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        if (a == nullptr || info == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        const Matrices<T> matrices{"A", n, n, lda, nullptr, 0, a};
        return enqueue_blas(state, function, [=, device = state.device] {
            Footprint footprint(device, batch);
            footprint.writes(matrices);
            if (pivots != nullptr) {
                footprint.writes("PivotArray", pivots, std::int64_t{n} * batch * kInt, kInt);
            }
            footprint.writes("infoArray", info, batch * kInt, kInt);
            if (!footprint.is_sound()) {
                return;
            }
            for (int p = 0; p < batch; ++p) {
                int* const own = pivots == nullptr ? nullptr : pivots + std::int64_t{p} * n;
                info[p] = getrf(n, n, matrices.of(p), lda, own);
            }
        });
    });
}

template <typename T>
cublasStatus_t getrs_call(const char* function, cublasHandle_t handle, cublasOperation_t trans,
                          int n, int nrhs, const T* const* a, int lda, const int* pivots,
                          T* const* b, int ldb, int* info, int batch) {
    return blas_call(function, handle, [&](BlasState& state) {
        if (!is_for_host(info, "info", function)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (trans != CUBLAS_OP_N && trans != CUBLAS_OP_T && trans != CUBLAS_OP_C) {
            return refuse(info, 1);
        }
        if (n < 0 || nrhs < 0) {
            return refuse(info, n < 0 ? 2 : 3);
        }
        if (lda < std::max(1, n) || ldb < std::max(1, n)) {
            return refuse(info, lda < std::max(1, n) ? 5 : 8);
        }
        if (batch < 0) {
            return refuse(info, 10);
        }
        if (info == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (n > 0 && nrhs > 0 && batch > 0 && (a == nullptr || b == nullptr)) {
            return refuse(info, a == nullptr ? 4 : 7);
        }
        *info = 0;
        if (n == 0 || nrhs == 0 || batch == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        const Matrices<const T> factors{"Aarray", n, n, lda, nullptr, 0, a};
        const Matrices<T> sides{"Barray", n, nrhs, ldb, nullptr, 0, b};
        const bool transposed = trans != CUBLAS_OP_N;
        return enqueue_blas(state, function, [=, device = state.device] {
            Footprint footprint(device, batch);
            footprint.reads(factors);
            if (pivots != nullptr) {
                footprint.reads("devIpiv", pivots, std::int64_t{n} * batch * kInt, kInt);
            }
            footprint.writes(sides);
            if (!footprint.is_sound()) {
                return;
            }
            for (int p = 0; p < batch; ++p) {
                const int* const own = pivots == nullptr ? nullptr : pivots + std::int64_t{p} * n;
                if (!getrs(transposed, n, nrhs, factors.of(p), lda, own, sides.of(p), ldb)) {
                    report("devIpiv of problem " + std::to_string(p) + " holds no pivots");
                }
            }
        });
    });
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cublasStatus_t cublasSgetrfBatched(cublasHandle_t handle, int n, float* const a[], int lda,
                                   int* pivots, int* info, int batch) {
    return getrf_call("cublasSgetrfBatched", handle, n, a, lda, pivots, info, batch);
}

cublasStatus_t cublasDgetrfBatched(cublasHandle_t handle, int n, double* const a[], int lda,
                                   int* pivots, int* info, int batch) {
    return getrf_call("cublasDgetrfBatched", handle, n, a, lda, pivots, info, batch);
}

cublasStatus_t cublasSgetrsBatched(cublasHandle_t handle, cublasOperation_t trans, int n, int nrhs,
                                   const float* const a[], int lda, const int* pivots,
                                   float* const b[], int ldb, int* info, int batch) {
    return getrs_call("cublasSgetrsBatched", handle, trans, n, nrhs, a, lda, pivots, b, ldb, info,
                      batch);
}

cublasStatus_t cublasDgetrsBatched(cublasHandle_t handle, cublasOperation_t trans, int n, int nrhs,
                                   const double* const a[], int lda, const int* pivots,
                                   double* const b[], int ldb, int* info, int batch) {
    return getrs_call("cublasDgetrsBatched", handle, trans, n, nrhs, a, lda, pivots, b, ldb, info,
                      batch);
}

}  // extern "C"
