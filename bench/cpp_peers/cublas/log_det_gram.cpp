// logdet(X'*X) by Cholesky, with gradient 2 X inv(X'X) as two triangular solves of the rows of 2 X.

#include <type_traits>
#include <vector>

#include "bench/cpp_peers/cublas/calls.hpp"

namespace matgrad::bench {
namespace {

/// The batched routines give each matrix to few blocks: few large ones are better taken one after the
/// other. The bounds are a guess, not measured.
bool are_taken_alone(std::int64_t n, std::int64_t batch) {
    return batch == 1 || (n >= 512 && batch <= 16);
}

template <typename T>
constexpr bool kFloat = std::is_same_v<T, float>;
template <typename T>
constexpr cudaDataType kType = kFloat<T> ? CUDA_R_32F : CUDA_R_64F;

template <typename T>
class LogDetGram : public GpuPeer {
public:
    LogDetGram(const PeerTask& t, const PeerPlace& place)
        : calls_(place),
          gram_(calls_.room<T>(t.batch * t.n * t.n)),
          info_(calls_.room<int>(t.batch)),
          sums_(calls_.sums<T>(t.batch, t.n)) {}

    void enqueue(const PeerTask& t) final {
        factor_gram(t);
        if (t.value != nullptr) {
            sums_.logs(2, {gram_, t.n * t.n, t.n + 1}, static_cast<T*>(t.value));
        }
        if (t.gradient != nullptr) {
            // By columns it is the solution of W G' = 2 X', and W = L L'.
            calls_.copy(static_cast<T*>(t.gradient), static_cast<const T*>(t.x.data),
                        t.batch * t.m * t.n);
            solve(t, CUBLAS_OP_N, 2);
            solve(t, CUBLAS_OP_T, 1);
        }
    }

protected:
    /// The lower triangle, by columns, of each gram becomes its factor.
    virtual void factor_gram(const PeerTask& t) = 0;
    /// G' becomes alpha inv(op(L)) G'.
    virtual void solve(const PeerTask& t, cublasOperation_t op, T alpha) = 0;

    Calls calls_;
    T* gram_;
    int* info_;

private:
    Sums<T> sums_;
};

template <typename T>
class Batched final : public LogDetGram<T> {
public:
    Batched(const PeerTask& t, const PeerPlace& place)
        : LogDetGram<T>(t, place), grams_(calls_.pointers(gram_, t.n * t.n, t.batch)) {
        if (t.gradient != nullptr) {
            gradients_ = calls_.pointers(static_cast<T*>(t.gradient), t.m * t.n, t.batch,
                                         place.copies, place.copy_bytes);
        }
    }

private:
    using LogDetGram<T>::calls_;
    using LogDetGram<T>::gram_;
    using LogDetGram<T>::info_;

    void factor_gram(const PeerTask& t) override {
        const Factor<T> x = factor<T>(t.x, t.m, t.n);
        calls_.template product<T>(1, x.t(), x, 0, gram_, t.batch);
        const auto n = static_cast<int>(t.n);
        const auto batch = static_cast<int>(t.batch);
        if constexpr (kFloat<T>) {
            MATGRAD_CUDA(cusolverDnSpotrfBatched(calls_.solver(), CUBLAS_FILL_MODE_LOWER, n, grams_,
                                                 n, info_, batch));
        } else {
            MATGRAD_CUDA(cusolverDnDpotrfBatched(calls_.solver(), CUBLAS_FILL_MODE_LOWER, n, grams_,
                                                 n, info_, batch));
        }
    }

    void solve(const PeerTask& t, cublasOperation_t op, T alpha) override {
        const PeerPlace& place = calls_.place();
        const auto offset = static_cast<const std::byte*>(t.gradient) -
                            static_cast<const std::byte*>(place.gradient);
        const std::int64_t copy = offset / static_cast<std::int64_t>(place.copy_bytes);
        T** const gradients = gradients_ + copy * t.batch;
        if constexpr (kFloat<T>) {
            MATGRAD_CUDA(cublasStrsmBatched_64(
                calls_.blas(), CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, op, CUBLAS_DIAG_NON_UNIT,
                t.n, t.m, &alpha, grams_, t.n, gradients, t.n, t.batch));
        } else {
            MATGRAD_CUDA(cublasDtrsmBatched_64(
                calls_.blas(), CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, op, CUBLAS_DIAG_NON_UNIT,
                t.n, t.m, &alpha, grams_, t.n, gradients, t.n, t.batch));
        }
    }

    T** grams_;
    T** gradients_ = nullptr;
};

template <typename T>
class OneByOne final : public LogDetGram<T> {
public:
    OneByOne(const PeerTask& t, const PeerPlace& place) : LogDetGram<T>(t, place) {
        std::size_t host_bytes = 0;
        MATGRAD_CUDA(cusolverDnXpotrf_bufferSize(calls_.solver(), calls_.solver_parameters(),
                                                 CUBLAS_FILL_MODE_LOWER, t.n, kType<T>, gram_, t.n,
                                                 kType<T>, &buffer_bytes_, &host_bytes));
        buffer_ = place.stopwatch->allocate(buffer_bytes_);
        host_buffer_.resize(host_bytes);
    }

private:
    using LogDetGram<T>::calls_;
    using LogDetGram<T>::gram_;
    using LogDetGram<T>::info_;

    void factor_gram(const PeerTask& t) override {
        const T one = 1;
        const T zero = 0;
        for (std::int64_t p = 0; p < t.batch; ++p) {
            const T* const x = static_cast<const T*>(t.x.data) + p * t.x.stride;
            T* const gram = gram_ + p * t.n * t.n;
            if constexpr (kFloat<T>) {
                MATGRAD_CUDA(cublasSsyrk_64(calls_.blas(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, t.n,
                                            t.m, &one, x, t.n, &zero, gram, t.n));
            } else {
                MATGRAD_CUDA(cublasDsyrk_64(calls_.blas(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, t.n,
                                            t.m, &one, x, t.n, &zero, gram, t.n));
            }
            MATGRAD_CUDA(cusolverDnXpotrf(calls_.solver(), calls_.solver_parameters(),
                                          CUBLAS_FILL_MODE_LOWER, t.n, kType<T>, gram, t.n,
                                          kType<T>, buffer_, buffer_bytes_, host_buffer_.data(),
                                          host_buffer_.size(), info_ + p));
        }
    }

    void solve(const PeerTask& t, cublasOperation_t op, T alpha) override {
        for (std::int64_t p = 0; p < t.batch; ++p) {
            const T* const gram = gram_ + p * t.n * t.n;
            T* const gradient = static_cast<T*>(t.gradient) + p * t.m * t.n;
            if constexpr (kFloat<T>) {
                MATGRAD_CUDA(cublasStrsm_64(calls_.blas(), CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER,
                                            op, CUBLAS_DIAG_NON_UNIT, t.n, t.m, &alpha, gram, t.n,
                                            gradient, t.n));
            } else {
                MATGRAD_CUDA(cublasDtrsm_64(calls_.blas(), CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER,
                                            op, CUBLAS_DIAG_NON_UNIT, t.n, t.m, &alpha, gram, t.n,
                                            gradient, t.n));
            }
        }
    }

    std::byte* buffer_ = nullptr;
    std::size_t buffer_bytes_ = 0;
    std::vector<std::byte> host_buffer_;
};

}  // namespace

template <typename T>
GpuPeer* make_log_det_gram(const PeerTask& task, const PeerPlace& place) {
    if (are_taken_alone(task.n, task.batch)) {
        return new OneByOne<T>(task, place);
    }
    return new Batched<T>(task, place);
}

template GpuPeer* make_log_det_gram<float>(const PeerTask&, const PeerPlace&);
template GpuPeer* make_log_det_gram<double>(const PeerTask&, const PeerPlace&);

}  // namespace matgrad::bench
