// cublas{S,D}gemv_64, cublas{S,D}gemvStridedBatched_64.

#include <algorithm>

#include "simulated_gpu/blas_handle.hpp"
#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"

namespace matgrad::simulated {
namespace {

/// The vectors are matrices of one row.
template <typename T>
struct Gemv {
    const char* function;
    cublasOperation_t trans;
    std::int64_t m, n;
    const T *alpha, *beta;
    Matrices<const T> a, x;
    Matrices<T> y;
    std::int64_t batch;

    [[nodiscard]] bool is_valid() const {
        return (trans == CUBLAS_OP_N || trans == CUBLAS_OP_T || trans == CUBLAS_OP_C) && m >= 0 &&
               n >= 0 && batch >= 0 && a.ld >= std::max<std::int64_t>(1, m) && x.ld != 0 &&
               y.ld != 0 && alpha != nullptr && beta != nullptr;
    }
};

template <typename T>
void run(const Gemv<T>& call, T alpha, T beta, int device) {
    Footprint footprint(device, call.batch);
    if (alpha != T(0)) {
        footprint.reads(call.a);
        footprint.reads(call.x);
    }
    footprint.writes(call.y);
    if (!footprint.is_sound()) {
        return;
    }
    std::vector<T> x(static_cast<std::size_t>(call.x.cols));
    std::vector<T> product(static_cast<std::size_t>(call.y.cols), T(0));
    for (std::int64_t p = 0; p < call.batch; ++p) {
        if (alpha != T(0)) {
            for (std::int64_t i = 0; i < call.x.cols; ++i) {
                x[static_cast<std::size_t>(i)] = call.x.of(p)[i * call.x.ld];
            }
            multiply_column(
                pack(call.a.of(p), call.a.ld, call.trans != CUBLAS_OP_N, call.y.cols, call.x.cols),
                x.data(), product);
        }
        for (std::int64_t i = 0; i < call.y.cols; ++i) {
            T& y = call.y.of(p)[i * call.y.ld];
            const T first = alpha * product[static_cast<std::size_t>(i)];
            y = beta == T(0) ? first : first + beta * y;
        }
    }
}

template <typename T>
cublasStatus_t gemv_call(cublasHandle_t handle, const char* function, cublasOperation_t trans,
                         std::int64_t m, std::int64_t n, const T* alpha, const T* a,
                         std::int64_t lda, std::int64_t stride_a, const T* x, std::int64_t incx,
                         std::int64_t stride_x, const T* beta, T* y, std::int64_t incy,
                         std::int64_t stride_y, std::int64_t batch) {
    return blas_call(function, handle, [&](BlasState& state) {
        const bool transposed = trans != CUBLAS_OP_N;
        const Gemv<T> call{function,
                           trans,
                           m,
                           n,
                           alpha,
                           beta,
                           {"A", m, n, lda, a, stride_a, nullptr},
                           {"x", 1, transposed ? m : n, incx, x, stride_x, nullptr},
                           {"y", 1, transposed ? n : m, incy, y, stride_y, nullptr},
                           batch};
        if (!call.is_valid()) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (incx < 0 || incy < 0) {
            report(std::string(function) + ": the simulation has no vectors that run backwards");
            return CUBLAS_STATUS_NOT_SUPPORTED;
        }
        if (!is_for_host(alpha, "alpha", function) || !is_for_host(beta, "beta", function)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (m == 0 || n == 0 || batch == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        if (a == nullptr || x == nullptr || y == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        return enqueue_blas(state, function,
                            [call, by_alpha = *alpha, by_beta = *beta, device = state.device] {
                                run(call, by_alpha, by_beta, device);
                            });
    });
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cublasStatus_t cublasSgemv_v2_64(cublasHandle_t handle, cublasOperation_t trans, int64_t m,
                                 int64_t n, const float* alpha, const float* a, int64_t lda,
                                 const float* x, int64_t incx, const float* beta, float* y,
                                 int64_t incy) {
    return gemv_call(handle, "cublasSgemv_64", trans, m, n, alpha, a, lda, 0, x, incx, 0, beta, y,
                     incy, 0, 1);
}

cublasStatus_t cublasDgemv_v2_64(cublasHandle_t handle, cublasOperation_t trans, int64_t m,
                                 int64_t n, const double* alpha, const double* a, int64_t lda,
                                 const double* x, int64_t incx, const double* beta, double* y,
                                 int64_t incy) {
    return gemv_call(handle, "cublasDgemv_64", trans, m, n, alpha, a, lda, 0, x, incx, 0, beta, y,
                     incy, 0, 1);
}

cublasStatus_t cublasSgemvStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans,
                                            int64_t m, int64_t n, const float* alpha,
                                            const float* a, int64_t lda, long long int stride_a,
                                            const float* x, int64_t incx, long long int stride_x,
                                            const float* beta, float* y, int64_t incy,
                                            long long int stride_y, int64_t batch) {
    return gemv_call(handle, "cublasSgemvStridedBatched_64", trans, m, n, alpha, a, lda, stride_a,
                     x, incx, stride_x, beta, y, incy, stride_y, batch);
}

cublasStatus_t cublasDgemvStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans,
                                            int64_t m, int64_t n, const double* alpha,
                                            const double* a, int64_t lda, long long int stride_a,
                                            const double* x, int64_t incx, long long int stride_x,
                                            const double* beta, double* y, int64_t incy,
                                            long long int stride_y, int64_t batch) {
    return gemv_call(handle, "cublasDgemvStridedBatched_64", trans, m, n, alpha, a, lda, stride_a,
                     x, incx, stride_x, beta, y, incy, stride_y, batch);
}

}  // extern "C"
