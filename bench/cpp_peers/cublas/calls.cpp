#include "bench/cpp_peers/cublas/calls.hpp"

#include <type_traits>

namespace matgrad::bench {
namespace {

/// What cuBLAS asks for on Hopper.
constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

template <typename T>
constexpr cudaDataType kType = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_64F;
template <typename T>
constexpr cublasComputeType_t kCompute =
    std::is_same_v<T, float> ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F;

cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}

template <typename T>
cublasStatus_t gemv(cublasHandle_t blas, cublasOperation_t op, std::int64_t m, std::int64_t n,
                    T alpha, const T* a, const T* x, T beta, T* y) {
    if constexpr (std::is_same_v<T, float>) {
        return cublasSgemv_64(blas, op, m, n, &alpha, a, m, x, 1, &beta, y, 1);
    } else {
        return cublasDgemv_64(blas, op, m, n, &alpha, a, m, x, 1, &beta, y, 1);
    }
}

template <typename T>
cublasStatus_t gemv_batched(cublasHandle_t blas, cublasOperation_t op, std::int64_t m,
                            std::int64_t n, T alpha, const T* a, std::int64_t stride_a, const T* x,
                            std::int64_t stride_x, T beta, T* y, std::int64_t stride_y,
                            std::int64_t batch) {
    if constexpr (std::is_same_v<T, float>) {
        return cublasSgemvStridedBatched_64(blas, op, m, n, &alpha, a, m, stride_a, x, 1, stride_x,
                                            &beta, y, 1, stride_y, batch);
    } else {
        return cublasDgemvStridedBatched_64(blas, op, m, n, &alpha, a, m, stride_a, x, 1, stride_x,
                                            &beta, y, 1, stride_y, batch);
    }
}

}  // namespace

Calls::Calls(const PeerPlace& place)
    : place_(place), stream_(static_cast<cudaStream_t>(place.stopwatch->stream())) {
    MATGRAD_CUDA(cudaSetDevice(place.device));
    cublasHandle_t blas = nullptr;
    MATGRAD_CUDA(cublasCreate(&blas));
    blas_ = gpu::BlasHandle(blas);
    MATGRAD_CUDA(cublasSetStream(blas, stream_));
    MATGRAD_CUDA(
        cublasSetWorkspace(blas, place.stopwatch->allocate(kWorkspaceBytes), kWorkspaceBytes));
    cusolverDnHandle_t solver = nullptr;
    MATGRAD_CUDA(cusolverDnCreate(&solver));
    solver_ = gpu::SolverHandle(solver);
    MATGRAD_CUDA(cusolverDnSetStream(solver, stream_));
    cusolverDnParams_t parameters = nullptr;
    MATGRAD_CUDA(cusolverDnCreateParams(&parameters));
    parameters_ = gpu::SolverParameters(parameters);
}

template <typename T>
T** Calls::pointers(T* first, std::int64_t stride, std::int64_t batch, std::int64_t copies,
                    std::size_t copy_bytes) const {
    std::vector<T*> all;
    for (std::int64_t copy = 0; copy < copies; ++copy) {
        T* const base = reinterpret_cast<T*>(reinterpret_cast<std::byte*>(first) +
                                             static_cast<std::size_t>(copy) * copy_bytes);
        for (std::int64_t p = 0; p < batch; ++p) {
            all.push_back(base + p * stride);
        }
    }
    T** const there = room<T*>(copies * batch);
    place_.stopwatch->copy(there, all.data(), all.size() * sizeof(T*));
    place_.stopwatch->wait();
    return there;
}

template <typename T>
Sums<T> Calls::sums(std::int64_t batch, std::int64_t count) const {
    const std::int64_t parts = Sums<T>::parts(batch, count, place_.multiprocessors);
    return {batch, count, parts, parts > 1 ? room<T>(batch * parts) : nullptr, stream_};
}

template <typename T>
void Calls::product(T alpha, Factor<T> a, const Factor<T>& b, T beta, T* c,
                    std::int64_t batch) const {
    if (b.stride == 0 && a.stride != 0 && !a.transposed) {
        a.rows *= batch;
        batch = 1;
    }
    const std::int64_t rows = a.transposed ? a.cols : a.rows;
    const std::int64_t inner = a.transposed ? a.rows : a.cols;
    const std::int64_t cols = b.transposed ? b.rows : b.cols;
    if (batch == 1) {
        MATGRAD_CUDA(cublasGemmEx_64(blas(), operation(b.transposed), operation(a.transposed), cols,
                                     rows, inner, &alpha, b.data, kType<T>, b.cols, a.data,
                                     kType<T>, a.cols, &beta, c, kType<T>, cols, kCompute<T>,
                                     CUBLAS_GEMM_DEFAULT));
        return;
    }
    MATGRAD_CUDA(cublasGemmStridedBatchedEx_64(
        blas(), operation(b.transposed), operation(a.transposed), cols, rows, inner, &alpha, b.data,
        kType<T>, b.cols, b.stride, a.data, kType<T>, a.cols, a.stride, &beta, c, kType<T>, cols,
        rows * cols, batch, kCompute<T>, CUBLAS_GEMM_DEFAULT));
}

template <typename T>
void Calls::times_vector(T alpha, const Factor<T>& a, const T* x, std::int64_t stride_x, T beta,
                         T* y, std::int64_t batch) const {
    const cublasOperation_t op = operation(!a.transposed);
    if (batch == 1) {
        MATGRAD_CUDA(gemv(blas(), op, a.cols, a.rows, alpha, a.data, x, beta, y));
        return;
    }
    MATGRAD_CUDA(gemv_batched(blas(), op, a.cols, a.rows, alpha, a.data, a.stride, x, stride_x,
                              beta, y, a.transposed ? a.cols : a.rows, batch));
}

#define MATGRAD_FOR_TYPE(T)                                                                        \
    template T** Calls::pointers(T*, std::int64_t, std::int64_t, std::int64_t, std::size_t) const; \
    template Sums<T> Calls::sums(std::int64_t, std::int64_t) const;                                \
    template void Calls::product(T, Factor<T>, const Factor<T>&, T, T*, std::int64_t) const;       \
    template void Calls::times_vector(T, const Factor<T>&, const T*, std::int64_t, T, T*,          \
                                      std::int64_t) const;
MATGRAD_FOR_TYPE(float)
MATGRAD_FOR_TYPE(double)

}  // namespace matgrad::bench

using namespace matgrad::bench;

namespace {

template <typename T>
GpuPeer* make(const PeerTask& task, const PeerPlace& place) {
    switch (task.function) {
        case Closed::frobenius:
            return make_frobenius<T>(task, place);
        case Closed::least_squares:
            return make_least_squares<T>(task, place);
        case Closed::bilinear_trace:
            return make_bilinear_trace<T>(task, place);
        case Closed::log_det_gram:
            return make_log_det_gram<T>(task, place);
    }
    return nullptr;
}

}  // namespace

GpuPeer* matgrad_cublas_peer(const PeerTask& task, const PeerPlace& place) {
    return task.in_double ? make<double>(task, place) : make<float>(task, place);
}
