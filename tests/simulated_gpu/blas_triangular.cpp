// cublas{S,D}syrk_64, cublas{S,D}trsm_64, cublas{S,D}trsmBatched_64.

#include <algorithm>

#include "simulated_gpu/blas_handle.hpp"
#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"

namespace matgrad::simulated {
namespace {

bool is_triangle(cublasFillMode_t uplo) {
    return uplo == CUBLAS_FILL_MODE_LOWER || uplo == CUBLAS_FILL_MODE_UPPER;
}

bool is_operation(cublasOperation_t op) {
    return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C;
}

template <typename T>
cublasStatus_t syrk_call(const char* function, cublasHandle_t handle, cublasFillMode_t uplo,
                         cublasOperation_t trans, std::int64_t n, std::int64_t k, const T* alpha,
                         const T* a, std::int64_t lda, const T* beta, T* c, std::int64_t ldc) {
    return blas_call(function, handle, [&](BlasState& state) {
        const bool transposed = trans != CUBLAS_OP_N;
        const std::int64_t rows = transposed ? k : n;
        if (!is_triangle(uplo) || !is_operation(trans) || n < 0 || k < 0 ||
            lda < std::max<std::int64_t>(1, rows) || ldc < std::max<std::int64_t>(1, n) ||
            alpha == nullptr || beta == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (!is_for_host(alpha, "alpha", function) || !is_for_host(beta, "beta", function)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (n == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        if (c == nullptr || (k > 0 && a == nullptr)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        const Matrices<const T> from{"A", rows, transposed ? n : k, lda, a, 0, nullptr};
        const Matrices<T> to{"C", n, n, ldc, c, 0, nullptr};
        const bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
        const bool tf32 = state.math == CUBLAS_TF32_TENSOR_OP_MATH;
        return enqueue_blas(state, function,
                            [=, by_alpha = *alpha, by_beta = *beta, device = state.device] {
                                Footprint footprint(device, 1);
                                if (by_alpha != T(0)) {
                                    footprint.reads(from);
                                }
                                footprint.writes(to);
                                if (!footprint.is_sound()) {
                                    return;
                                }
                                Packed<T> op_a{n, k, {}};
                                if (by_alpha != T(0) && k > 0) {
                                    op_a = pack(from.base, from.ld, transposed, n, k);
                                }
                                if constexpr (std::is_same_v<T, float>) {
                                    if (tf32) {
                                        cut_to_tf32(op_a.entries);
                                    }
                                }
                                syrk(lower, by_alpha, op_a, by_beta, to.base, to.ld);
                            });
    });
}

/// What trsm and trsmBatched share.
template <typename T>
struct Trsm {
    const char* function;
    cublasSideMode_t side;
    cublasFillMode_t uplo;
    cublasOperation_t trans;
    cublasDiagType_t diag;
    std::int64_t m, n;
    const T* alpha;
    std::int64_t lda, ldb, batch;

    [[nodiscard]] bool left() const { return side == CUBLAS_SIDE_LEFT; }
    [[nodiscard]] std::int64_t order() const { return left() ? m : n; }
    [[nodiscard]] bool is_valid() const {
        return (left() || side == CUBLAS_SIDE_RIGHT) && is_triangle(uplo) && is_operation(trans) &&
               (diag == CUBLAS_DIAG_UNIT || diag == CUBLAS_DIAG_NON_UNIT) && m >= 0 && n >= 0 &&
               batch >= 0 && lda >= std::max<std::int64_t>(1, order()) &&
               ldb >= std::max<std::int64_t>(1, m) && alpha != nullptr;
    }
};

template <typename T>
cublasStatus_t trsm_call(cublasHandle_t handle, const Trsm<T>& call, const Matrices<const T>& a,
                         const Matrices<T>& b) {
    return blas_call(call.function, handle, [&](BlasState& state) {
        if (!call.is_valid()) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (!is_for_host(call.alpha, "alpha", call.function)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (call.m == 0 || call.n == 0 || call.batch == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        if ((a.base == nullptr && a.pointers == nullptr) ||
            (b.base == nullptr && b.pointers == nullptr)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        return enqueue_blas(
            state, call.function, [call, a, b, alpha = *call.alpha, device = state.device] {
                Footprint footprint(device, call.batch);
                if (alpha != T(0)) {
                    footprint.reads(a);
                }
                footprint.writes(b);
                if (!footprint.is_sound()) {
                    return;
                }
                for (std::int64_t p = 0; p < call.batch; ++p) {
                    Triangle<T> t{true, true, {call.order(), call.order(), {}}};
                    if (alpha != T(0)) {
                        t = pack_triangle(a.of(p), a.ld, call.order(),
                                          call.uplo == CUBLAS_FILL_MODE_LOWER,
                                          call.trans != CUBLAS_OP_N, call.diag == CUBLAS_DIAG_UNIT);
                    }
                    if (call.left()) {
                        solve_left(t, alpha, b.of(p), b.ld, call.n);
                    } else {
                        solve_right(t, alpha, b.of(p), b.ld, call.m);
                    }
                }
            });
    });
}

template <typename T>
cublasStatus_t trsm_one(cublasHandle_t handle, const Trsm<T>& call, const T* a, T* b) {
    return trsm_call<T>(handle, call, {"A", call.order(), call.order(), call.lda, a, 0, nullptr},
                        {"B", call.m, call.n, call.ldb, b, 0, nullptr});
}

template <typename T>
cublasStatus_t trsm_batched(cublasHandle_t handle, const Trsm<T>& call, const T* const* a,
                            T* const* b) {
    return trsm_call<T>(handle, call, {"A", call.order(), call.order(), call.lda, nullptr, 0, a},
                        {"B", call.m, call.n, call.ldb, nullptr, 0, b});
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;

extern "C" {

cublasStatus_t cublasSsyrk_v2_64(cublasHandle_t handle, cublasFillMode_t uplo,
                                 cublasOperation_t trans, int64_t n, int64_t k, const float* alpha,
                                 const float* a, int64_t lda, const float* beta, float* c,
                                 int64_t ldc) {
    return syrk_call("cublasSsyrk_64", handle, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
}

cublasStatus_t cublasDsyrk_v2_64(cublasHandle_t handle, cublasFillMode_t uplo,
                                 cublasOperation_t trans, int64_t n, int64_t k, const double* alpha,
                                 const double* a, int64_t lda, const double* beta, double* c,
                                 int64_t ldc) {
    return syrk_call("cublasDsyrk_64", handle, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
}

cublasStatus_t cublasStrsm_v2_64(cublasHandle_t handle, cublasSideMode_t side,
                                 cublasFillMode_t uplo, cublasOperation_t trans,
                                 cublasDiagType_t diag, int64_t m, int64_t n, const float* alpha,
                                 const float* a, int64_t lda, float* b, int64_t ldb) {
    return trsm_one<float>(
        handle, {"cublasStrsm_64", side, uplo, trans, diag, m, n, alpha, lda, ldb, 1}, a, b);
}

cublasStatus_t cublasDtrsm_v2_64(cublasHandle_t handle, cublasSideMode_t side,
                                 cublasFillMode_t uplo, cublasOperation_t trans,
                                 cublasDiagType_t diag, int64_t m, int64_t n, const double* alpha,
                                 const double* a, int64_t lda, double* b, int64_t ldb) {
    return trsm_one<double>(
        handle, {"cublasDtrsm_64", side, uplo, trans, diag, m, n, alpha, lda, ldb, 1}, a, b);
}

cublasStatus_t cublasStrsmBatched_64(cublasHandle_t handle, cublasSideMode_t side,
                                     cublasFillMode_t uplo, cublasOperation_t trans,
                                     cublasDiagType_t diag, int64_t m, int64_t n,
                                     const float* alpha, const float* const a[], int64_t lda,
                                     float* const b[], int64_t ldb, int64_t batch) {
    return trsm_batched<float>(
        handle, {"cublasStrsmBatched_64", side, uplo, trans, diag, m, n, alpha, lda, ldb, batch}, a,
        b);
}

cublasStatus_t cublasDtrsmBatched_64(cublasHandle_t handle, cublasSideMode_t side,
                                     cublasFillMode_t uplo, cublasOperation_t trans,
                                     cublasDiagType_t diag, int64_t m, int64_t n,
                                     const double* alpha, const double* const a[], int64_t lda,
                                     double* const b[], int64_t ldb, int64_t batch) {
    return trsm_batched<double>(
        handle, {"cublasDtrsmBatched_64", side, uplo, trans, diag, m, n, alpha, lda, ldb, batch}, a,
        b);
}

}  // extern "C"
