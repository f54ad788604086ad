#include "cpu/plain/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <mutex>

#include "cpu/plain/blas_core.hpp"

// LAPACK's Fortran symbols.
extern "C" {
void sgetrf_(const int* m, const int* n, float* a, const int* ld, int* pivots, int* info);
void dgetrf_(const int* m, const int* n, double* a, const int* ld, int* pivots, int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* ld, double* tau, double* work,
             const int* work_size, int* info);
}

// Only OpenBLAS has these: with another BLAS they are absent and threads are its own affair.
extern "C" {
__attribute__((weak)) int openblas_get_num_threads(void);
__attribute__((weak)) void openblas_set_num_threads(int);
}

namespace matgrad::detail {
namespace {

std::mutex g_threads_mutex;
int g_threads_users = 0;
int g_threads_before = 0;

constexpr std::int64_t kColumnsAtOnce = 32;  ///< of a QR factorization: LAPACK's own choice

/// A matrix as a BLAS takes it: by rows with a leading dimension, or the transpose of one.
struct Argument {
    const void* data;
    int ld;
    bool transposed;
};

int as_int(std::int64_t size) {
    return static_cast<int>(size);
}

Argument argument(const View& v) {
    const bool by_rows =
        (v.col_stride == 1 || v.cols == 1) && (v.rows == 1 || v.row_stride >= v.cols);
    if (by_rows) {
        return {v.data, as_int(v.rows == 1 ? v.cols : v.row_stride), false};
    }
    return {v.data, as_int(v.cols == 1 ? v.rows : v.col_stride), true};
}

CBLAS_TRANSPOSE flag(bool transposed) {
    return transposed ? CblasTrans : CblasNoTrans;
}

template <typename T>
T* data(const View& v) {
    return reinterpret_cast<T*>(v.data);
}

/// The step from one entry of a vector to the next.
int increment(const View& v) {
    return as_int(v.rows == 1 ? v.col_stride : v.row_stride);
}

/// y = alpha * a * x + beta * y.
void gemv(double alpha, const View& a, const View& x, double beta, const View& y) {
    const Argument m = argument(a);
    const int rows = as_int(m.transposed ? a.cols : a.rows);
    const int cols = as_int(m.transposed ? a.rows : a.cols);
    const int x_step = x.count() == 1 ? 1 : increment(x);
    const int y_step = y.count() == 1 ? 1 : increment(y);
    if (a.type == ScalarType::float32) {
        if (beta == 0) {
            for (std::int64_t i = 0; i < y.count(); ++i) {
                data<float>(y)[i * y_step] = 0;
            }
        }
        cblas_sgemv(CblasRowMajor, flag(m.transposed), rows, cols, static_cast<float>(alpha),
                    static_cast<const float*>(m.data), m.ld, data<float>(x), x_step,
                    static_cast<float>(beta), data<float>(y), y_step);
    } else {
        if (beta == 0) {
            for (std::int64_t i = 0; i < y.count(); ++i) {
                data<double>(y)[i * y_step] = 0;
            }
        }
        cblas_dgemv(CblasRowMajor, flag(m.transposed), rows, cols, alpha,
                    static_cast<const double*>(m.data), m.ld, data<double>(x), x_step, beta,
                    data<double>(y), y_step);
    }
}

}  // namespace

BlasThreads::BlasThreads() {
    choose_blas_core();
    const std::lock_guard lock(g_threads_mutex);
    if (g_threads_users++ == 0 && openblas_get_num_threads != nullptr) {
        g_threads_before = openblas_get_num_threads();
        if (g_threads_before != 1) {
            openblas_set_num_threads(1);
        }
    }
}

BlasThreads::~BlasThreads() {
    const std::lock_guard lock(g_threads_mutex);
    if (--g_threads_users == 0 && openblas_get_num_threads != nullptr && g_threads_before != 1) {
        openblas_set_num_threads(g_threads_before);
    }
}

bool blas_readable(const View& v) {
    constexpr std::int64_t kLargest = 0x7fffffff;
    if (v.rows > kLargest || v.cols > kLargest || std::abs(v.row_stride) > kLargest ||
        std::abs(v.col_stride) > kLargest) {
        return false;
    }
    const bool by_rows =
        (v.col_stride == 1 || v.cols == 1) && (v.rows == 1 || v.row_stride >= v.cols);
    const bool by_cols =
        (v.row_stride == 1 || v.rows == 1) && (v.cols == 1 || v.col_stride >= v.rows);
    return by_rows || by_cols;
}

void blas_gemm(double alpha, const View& a, const View& b, double beta, const View& c) {
    if (c.cols == 1) {
        return gemv(alpha, a, b, beta, c);
    }
    if (c.rows == 1) {
        return gemv(alpha, transposed(b), transposed(a), beta, transposed(c));
    }
    const Argument left = argument(a);
    const Argument right = argument(b);
    const int m = as_int(c.rows);
    const int n = as_int(c.cols);
    const int k = as_int(a.cols);
    const int ld = as_int(c.row_stride);
    if (c.type == ScalarType::float32) {
        cblas_sgemm(CblasRowMajor, flag(left.transposed), flag(right.transposed), m, n, k,
                    static_cast<float>(alpha), static_cast<const float*>(left.data), left.ld,
                    static_cast<const float*>(right.data), right.ld, static_cast<float>(beta),
                    data<float>(c), ld);
    } else {
        cblas_dgemm(CblasRowMajor, flag(left.transposed), flag(right.transposed), m, n, k, alpha,
                    static_cast<const double*>(left.data), left.ld,
                    static_cast<const double*>(right.data), right.ld, beta, data<double>(c), ld);
    }
}

void blas_syrk(double alpha, const View& a, double beta, const View& c) {
    const Argument m = argument(a);
    const int n = as_int(a.rows);
    const int k = as_int(a.cols);
    const int ld = as_int(c.row_stride);
    if (c.type == ScalarType::float32) {
        cblas_ssyrk(CblasRowMajor, CblasLower, flag(m.transposed), n, k, static_cast<float>(alpha),
                    static_cast<const float*>(m.data), m.ld, static_cast<float>(beta),
                    data<float>(c), ld);
    } else {
        cblas_dsyrk(CblasRowMajor, CblasLower, flag(m.transposed), n, k, alpha,
                    static_cast<const double*>(m.data), m.ld, beta, data<double>(c), ld);
    }
}

void blas_trsm(Side side, bool lower, bool transposed, bool unit, double alpha, const View& t,
               const View& x) {
    const Argument m = argument(t);
    // A triangle stored by columns is the transpose of the other triangle stored by rows.
    const auto uplo = lower != m.transposed ? CblasLower : CblasUpper;
    const auto op = flag(transposed != m.transposed);
    const auto diag = unit ? CblasUnit : CblasNonUnit;
    const auto left = side == Side::left ? CblasLeft : CblasRight;
    const int ld = as_int(x.row_stride);
    if (x.type == ScalarType::float32) {
        cblas_strsm(CblasRowMajor, left, uplo, op, diag, as_int(x.rows), as_int(x.cols),
                    static_cast<float>(alpha), static_cast<const float*>(m.data), m.ld,
                    data<float>(x), ld);
    } else {
        cblas_dtrsm(CblasRowMajor, left, uplo, op, diag, as_int(x.rows), as_int(x.cols), alpha,
                    static_cast<const double*>(m.data), m.ld, data<double>(x), ld);
    }
}

std::int64_t blas_geqrf_bytes(std::int64_t cols) {
    return (1 + kColumnsAtOnce) * cols * size_of(ScalarType::float64);
}

void blas_geqrf(const View& a, std::byte* work) {
    const int m = as_int(a.rows);
    const int n = as_int(a.cols);
    const int ld = as_int(a.col_stride);
    const int work_size = as_int(kColumnsAtOnce * a.cols);
    auto* tau = reinterpret_cast<double*>(work);
    int info = 0;
    dgeqrf_(&m, &n, data<double>(a), &ld, tau, tau + n, &work_size, &info);
}

void blas_getrf(const View& a, std::int32_t* pivots) {
    const int n = as_int(a.rows);
    const int ld = as_int(std::max(a.col_stride, a.rows));
    int info = 0;
    if (a.type == ScalarType::float32) {
        sgetrf_(&n, &n, data<float>(a), &ld, pivots, &info);
    } else {
        dgetrf_(&n, &n, data<double>(a), &ld, pivots, &info);
    }
}

}  // namespace matgrad::detail
