/// \file What libxsmm offers of the four functions: products of small matrices by generated kernels,
/// in a loop that OpenMP shares. It has no factorizations and no products with a vector. Its matrices
/// are column-major, so each row-major one is seen transposed.

#include <libxsmm.h>

#include <type_traits>
#include <vector>

#include "operands.hpp"
#include "task.hpp"

namespace {

using matgrad::bench::at;
using matgrad::bench::Closed;
using matgrad::bench::dot;
using matgrad::bench::PeerTask;

template <typename T>
using Kernel =
    std::conditional_t<std::is_same_v<T, float>, libxsmm_smmfunction, libxsmm_dmmfunction>;

/// The kernel of C = A B for row-major A rows-by-inner, B inner-by-cols; with `transposed`, of
/// C = A' B for A inner-by-rows. Called as kernel(B, A, C). Null if there is none.
template <typename T>
Kernel<T> product(std::int64_t rows, std::int64_t inner, std::int64_t cols, bool transposed) {
    const auto m = static_cast<libxsmm_blasint>(cols);
    const auto n = static_cast<libxsmm_blasint>(rows);
    const auto k = static_cast<libxsmm_blasint>(inner);
    const libxsmm_blasint ldb = transposed ? n : k;
    const T alpha = 1;
    const T beta = 0;
    const int flags = transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    if constexpr (std::is_same_v<T, float>) {
        return libxsmm_smmdispatch(m, n, k, &m, &ldb, &m, &alpha, &beta, &flags, nullptr);
    } else {
        return libxsmm_dmmdispatch(m, n, k, &m, &ldb, &m, &alpha, &beta, &flags, nullptr);
    }
}

/// X (A'A).
template <typename T>
bool frobenius(const PeerTask& t) {
    const Kernel<T> gram = product<T>(t.n, t.p, t.n, true);
    const Kernel<T> times = product<T>(t.m, t.n, t.n, false);
    if (gram == nullptr || times == nullptr) {
        return false;
    }
    const auto gram_size = static_cast<std::size_t>(t.n * t.n);
    const auto size = static_cast<std::size_t>(t.m * t.n);
    std::vector<T> shared(gram_size);
    if (t.a.stride == 0) {
        gram(at<T>(t.a, 0), at<T>(t.a, 0), shared.data());
    }
#pragma omp parallel num_threads(t.threads) if (t.batch > 1)
    {
        std::vector<T> own = shared;
        std::vector<T> room(t.gradient == nullptr ? size : 0);
#pragma omp for schedule(static)
        for (std::int64_t k = 0; k < t.batch; ++k) {
            if (t.a.stride != 0) {
                gram(at<T>(t.a, k), at<T>(t.a, k), own.data());
            }
            T* const to =
                t.gradient == nullptr ? room.data() : static_cast<T*>(t.gradient) + k * t.m * t.n;
            times(own.data(), at<T>(t.x, k), to);
            if (t.value != nullptr) {
                static_cast<T*>(t.value)[k] = dot(at<T>(t.x, k), to, t.m * t.n) / 2;
            }
        }
    }
    return true;
}

/// The gradient as (B A)', the value from it or as the sum of (A X)' .* B.
template <typename T>
bool bilinear_trace(const PeerTask& t) {
    const bool with_gradient = t.gradient != nullptr;
    const Kernel<T> times =
        with_gradient ? product<T>(t.n, t.p, t.m, false) : product<T>(t.p, t.m, t.n, false);
    if (times == nullptr) {
        return false;
    }
    const std::int64_t rows = with_gradient ? t.n : t.p;
    const std::int64_t cols = with_gradient ? t.m : t.n;
    const auto size = static_cast<std::size_t>(rows * cols);
#pragma omp parallel num_threads(t.threads) if (t.batch > 1)
    {
        std::vector<T> product_of(size);
        std::vector<T> turned(size);
#pragma omp for schedule(static)
        for (std::int64_t k = 0; k < t.batch; ++k) {
            T* to = turned.data();
            if (with_gradient) {
                times(at<T>(t.a, k), at<T>(t.b, k), product_of.data());
                to = static_cast<T*>(t.gradient) + k * t.m * t.n;
            } else {
                times(at<T>(t.x, k), at<T>(t.a, k), product_of.data());
            }
            libxsmm_otrans(to, product_of.data(), sizeof(T), static_cast<libxsmm_blasint>(cols),
                           static_cast<libxsmm_blasint>(rows), static_cast<libxsmm_blasint>(cols),
                           static_cast<libxsmm_blasint>(rows));
            if (t.value != nullptr) {
                static_cast<T*>(t.value)[k] = with_gradient ? dot(to, at<T>(t.x, k), t.m * t.n)
                                                            : dot(to, at<T>(t.b, k), t.n * t.p);
            }
        }
    }
    return true;
}

template <typename T>
bool all(const PeerTask& t) {
    switch (t.function) {
        case Closed::frobenius:
            return frobenius<T>(t);
        case Closed::bilinear_trace:
            return bilinear_trace<T>(t);
        default:
            return false;
    }
}

}  // namespace

bool matgrad_libxsmm_peer(const PeerTask* task) {
    return task->in_double ? all<double>(*task) : all<float>(*task);
}
