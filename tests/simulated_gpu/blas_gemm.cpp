// cublasGemmEx_64, cublasGemmStridedBatchedEx_64, cublasGemmBatchedEx_64: float and double.

#include <algorithm>

#include "simulated_gpu/blas_handle.hpp"
#include "simulated_gpu/blas_math.hpp"
#include "simulated_gpu/blas_memory.hpp"

namespace matgrad::simulated {
namespace {

/// A call of any of the functions; a batch is described by strides or by pointers.
struct Call {
    const char* function;
    cublasOperation_t transa, transb;
    std::int64_t m, n, k;
    const void* alpha;
    const void* a;
    cudaDataType a_type;
    std::int64_t lda;
    const void* b;
    cudaDataType b_type;
    std::int64_t ldb;
    const void* beta;
    void* c;
    cudaDataType c_type;
    std::int64_t ldc;
    std::int64_t batch;
    cublasComputeType_t compute;
    cublasGemmAlgo_t algorithm;
    bool is_strided;
    std::int64_t stride_a, stride_b, stride_c;
};

bool is_operation(cublasOperation_t op) {
    return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C;
}

bool is_algorithm(cublasGemmAlgo_t algorithm) {
    return (algorithm >= CUBLAS_GEMM_DEFAULT && algorithm <= CUBLAS_GEMM_ALGO23) ||
           (algorithm >= CUBLAS_GEMM_DEFAULT_TENSOR_OP &&
            algorithm <= CUBLAS_GEMM_ALGO15_TENSOR_OP);
}

bool has_types(const Call& call, cudaDataType type) {
    return call.a_type == type && call.b_type == type && call.c_type == type;
}

bool is_float(const Call& call) {
    return has_types(call, CUDA_R_32F) &&
           (call.compute == CUBLAS_COMPUTE_32F || call.compute == CUBLAS_COMPUTE_32F_PEDANTIC ||
            call.compute == CUBLAS_COMPUTE_32F_FAST_TF32);
}

bool is_double(const Call& call) {
    return has_types(call, CUDA_R_64F) &&
           (call.compute == CUBLAS_COMPUTE_64F || call.compute == CUBLAS_COMPUTE_64F_PEDANTIC);
}

template <typename T>
Matrices<T> matrices(const char* name, std::int64_t rows, std::int64_t cols, std::int64_t ld,
                     T* base, std::int64_t stride) {
    return {name, rows, cols, ld, base, stride, nullptr};
}

template <typename T>
Matrices<T> matrices(const char* name, std::int64_t rows, std::int64_t cols, std::int64_t ld,
                     T* const* pointers) {
    return {name, rows, cols, ld, nullptr, 0, pointers};
}

template <typename T>
cublasStatus_t run(const BlasState& state, const Call& call) {
    const T alpha = *static_cast<const T*>(call.alpha);
    const T beta = *static_cast<const T*>(call.beta);
    const bool ta = call.transa != CUBLAS_OP_N;
    const bool tb = call.transb != CUBLAS_OP_N;
    const std::int64_t a_rows = ta ? call.k : call.m;
    const std::int64_t a_cols = ta ? call.m : call.k;
    const std::int64_t b_rows = tb ? call.n : call.k;
    const std::int64_t b_cols = tb ? call.k : call.n;
    const bool strided = call.is_strided;
    const auto a =
        strided
            ? matrices("A", a_rows, a_cols, call.lda, static_cast<const T*>(call.a), call.stride_a)
            : matrices("A", a_rows, a_cols, call.lda, static_cast<const T* const*>(call.a));
    const auto b =
        strided
            ? matrices("B", b_rows, b_cols, call.ldb, static_cast<const T*>(call.b), call.stride_b)
            : matrices("B", b_rows, b_cols, call.ldb, static_cast<const T* const*>(call.b));
    const auto c =
        strided ? matrices("C", call.m, call.n, call.ldc, static_cast<T*>(call.c), call.stride_c)
                : matrices("C", call.m, call.n, call.ldc, static_cast<T* const*>(call.c));
    const bool tf32 =
        call.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ||
        (call.compute == CUBLAS_COMPUTE_32F && state.math == CUBLAS_TF32_TENSOR_OP_MATH);
    const auto task = [=, m = call.m, n = call.n, k = call.k, batch = call.batch,
                       device = state.device] {
        Footprint footprint(device, batch);
        if (alpha != T(0)) {
            footprint.reads(a);
            footprint.reads(b);
        }
        footprint.writes(c);
        if (!footprint.is_sound()) {
            return;
        }
        for (std::int64_t p = 0; p < batch; ++p) {
            Packed<T> op_a{m, k, {}};
            Packed<T> op_b{k, n, {}};
            if (alpha != T(0) && k > 0) {
                op_a = pack(a.of(p), a.ld, ta, m, k);
                op_b = pack(b.of(p), b.ld, tb, k, n);
            }
            if constexpr (std::is_same_v<T, float>) {
                if (tf32) {
                    cut_to_tf32(op_a.entries);
                    cut_to_tf32(op_b.entries);
                }
            }
            gemm(alpha, op_a, op_b, beta, c.of(p), c.ld);
        }
    };
    return enqueue_blas(state, call.function, task);
}

cublasStatus_t gemm_call(cublasHandle_t handle, const Call& call) {
    return blas_call(call.function, handle, [&](BlasState& state) {
        const std::int64_t a_rows = call.transa == CUBLAS_OP_N ? call.m : call.k;
        const std::int64_t b_rows = call.transb == CUBLAS_OP_N ? call.k : call.n;
        if (!is_operation(call.transa) || !is_operation(call.transb) ||
            !is_algorithm(call.algorithm) || call.m < 0 || call.n < 0 || call.k < 0 ||
            call.batch < 0 || call.lda < std::max<std::int64_t>(1, a_rows) ||
            call.ldb < std::max<std::int64_t>(1, b_rows) ||
            call.ldc < std::max<std::int64_t>(1, call.m) || call.alpha == nullptr ||
            call.beta == nullptr) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (!is_float(call) && !is_double(call)) {
            return CUBLAS_STATUS_NOT_SUPPORTED;
        }
        if (!is_for_host(call.alpha, "alpha", call.function) ||
            !is_for_host(call.beta, "beta", call.function)) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        if (call.m == 0 || call.n == 0 || call.batch == 0) {
            return CUBLAS_STATUS_SUCCESS;
        }
        if (call.c == nullptr || (call.k > 0 && (call.a == nullptr || call.b == nullptr))) {
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        return is_float(call) ? run<float>(state, call) : run<double>(state, call);
    });
}

}  // namespace
}  // namespace matgrad::simulated

extern "C" {

cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t transa,
                               cublasOperation_t transb, int64_t m, int64_t n, int64_t k,
                               const void* alpha, const void* a, cudaDataType a_type, int64_t lda,
                               const void* b, cudaDataType b_type, int64_t ldb, const void* beta,
                               void* c, cudaDataType c_type, int64_t ldc,
                               cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    return matgrad::simulated::gemm_call(handle, {"cublasGemmEx_64",
                                                  transa,
                                                  transb,
                                                  m,
                                                  n,
                                                  k,
                                                  alpha,
                                                  a,
                                                  a_type,
                                                  lda,
                                                  b,
                                                  b_type,
                                                  ldb,
                                                  beta,
                                                  c,
                                                  c_type,
                                                  ldc,
                                                  1,
                                                  compute,
                                                  algorithm,
                                                  true,
                                                  0,
                                                  0,
                                                  0});
}

cublasStatus_t cublasGemmStridedBatchedEx_64(
    cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int64_t m, int64_t n,
    int64_t k, const void* alpha, const void* a, cudaDataType a_type, int64_t lda,
    long long int stride_a, const void* b, cudaDataType b_type, int64_t ldb, long long int stride_b,
    const void* beta, void* c, cudaDataType c_type, int64_t ldc, long long int stride_c,
    int64_t batch, cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    return matgrad::simulated::gemm_call(handle, {"cublasGemmStridedBatchedEx_64",
                                                  transa,
                                                  transb,
                                                  m,
                                                  n,
                                                  k,
                                                  alpha,
                                                  a,
                                                  a_type,
                                                  lda,
                                                  b,
                                                  b_type,
                                                  ldb,
                                                  beta,
                                                  c,
                                                  c_type,
                                                  ldc,
                                                  batch,
                                                  compute,
                                                  algorithm,
                                                  true,
                                                  stride_a,
                                                  stride_b,
                                                  stride_c});
}

cublasStatus_t cublasGemmBatchedEx_64(cublasHandle_t handle, cublasOperation_t transa,
                                      cublasOperation_t transb, int64_t m, int64_t n, int64_t k,
                                      const void* alpha, const void* const a[], cudaDataType a_type,
                                      int64_t lda, const void* const b[], cudaDataType b_type,
                                      int64_t ldb, const void* beta, void* const c[],
                                      cudaDataType c_type, int64_t ldc, int64_t batch,
                                      cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    return matgrad::simulated::gemm_call(handle,
                                         {"cublasGemmBatchedEx_64",
                                          transa,
                                          transb,
                                          m,
                                          n,
                                          k,
                                          alpha,
                                          a,
                                          a_type,
                                          lda,
                                          b,
                                          b_type,
                                          ldb,
                                          beta,
                                          const_cast<void**>(c),  // NOLINT: only read, as pointers
                                          c_type,
                                          ldc,
                                          batch,
                                          compute,
                                          algorithm,
                                          false,
                                          0,
                                          0,
                                          0});
}

}  // extern "C"
