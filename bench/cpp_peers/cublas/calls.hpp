#pragma once
/// \file cuBLAS and cuSOLVER on row-major batches. Both are column-major: a row-major matrix is its
/// transposed one to them, so factors change places and nothing is copied.

#include <cstdint>
#include <vector>

#include "bench/cpp_peers/cublas/sums.hpp"
#include "bench/cpp_peers/gpu_peer.hpp"
#include "cuda/owners.hpp"

namespace matgrad::bench {

/// Row-major matrices as they are stored, `stride` entries from one problem's to the next; 0: all have
/// the same one.
template <typename T>
struct Factor {
    const T* data = nullptr;
    std::int64_t rows = 0, cols = 0;
    std::int64_t stride = 0;
    bool transposed = false;  ///< where it is multiplied

    [[nodiscard]] Factor t() const { return {data, rows, cols, stride, !transposed}; }
};

/// The device, its handles, and memory that lives as long as the stopwatch of the place.
class Calls {
public:
    explicit Calls(const PeerPlace& place);

    [[nodiscard]] cudaStream_t stream() const noexcept { return stream_; }
    [[nodiscard]] const PeerPlace& place() const noexcept { return place_; }
    template <typename T>
    [[nodiscard]] T* room(std::int64_t count) const {
        return reinterpret_cast<T*>(
            place_.stopwatch->allocate(static_cast<std::size_t>(count) * sizeof(T)));
    }
    /// Pointers in device memory to the matrices of `batch` problems, for each of the copies: waits.
    template <typename T>
    [[nodiscard]] T** pointers(T* first, std::int64_t stride, std::int64_t batch,
                               std::int64_t copies = 1, std::size_t copy_bytes = 0) const;
    template <typename T>
    [[nodiscard]] Sums<T> sums(std::int64_t batch, std::int64_t count) const;

    /// C = alpha op(A) op(B) + beta C, one for each problem; c has as many rows and columns as that
    /// says. Rows of all problems that share B are one product.
    template <typename T>
    void product(T alpha, Factor<T> a, const Factor<T>& b, T beta, T* c, std::int64_t batch) const;
    /// y = alpha op(A) x + beta y. Vectors are contiguous, each as long as it must be; stride_x is 0
    /// for a shared one.
    template <typename T>
    void times_vector(T alpha, const Factor<T>& a, const T* x, std::int64_t stride_x, T beta, T* y,
                      std::int64_t batch) const;
    template <typename T>
    void copy(T* to, const T* from, std::int64_t count) const {
        MATGRAD_CUDA(cudaMemcpyAsync(to, from, static_cast<std::size_t>(count) * sizeof(T),
                                     cudaMemcpyDeviceToDevice, stream_));
    }

    [[nodiscard]] cublasHandle_t blas() const noexcept { return blas_.get(); }
    [[nodiscard]] cusolverDnHandle_t solver() const noexcept { return solver_.get(); }
    [[nodiscard]] cusolverDnParams_t solver_parameters() const noexcept {
        return parameters_.get();
    }

private:
    PeerPlace place_;
    cudaStream_t stream_;
    gpu::BlasHandle blas_;
    gpu::SolverHandle solver_;
    gpu::SolverParameters parameters_;
};

/// Each in a file of its own. Errors: MachineError.
template <typename T>
[[nodiscard]] GpuPeer* make_frobenius(const PeerTask& task, const PeerPlace& place);
template <typename T>
[[nodiscard]] GpuPeer* make_least_squares(const PeerTask& task, const PeerPlace& place);
template <typename T>
[[nodiscard]] GpuPeer* make_bilinear_trace(const PeerTask& task, const PeerPlace& place);
template <typename T>
[[nodiscard]] GpuPeer* make_log_det_gram(const PeerTask& task, const PeerPlace& place);

/// A matrix of the task.
template <typename T>
[[nodiscard]] Factor<T> factor(const PeerOperand& operand, std::int64_t rows, std::int64_t cols) {
    return {static_cast<const T*>(operand.data), rows, cols, operand.stride, false};
}

}  // namespace matgrad::bench
