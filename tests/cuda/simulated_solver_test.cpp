/// The stand-ins of cuSOLVER and of the batched LU of cuBLAS against LAPACK, and against what a factor
/// has to multiply to.

#include <algorithm>
#include <numeric>

#include "cuda/simulated_blas_support.hpp"
#include "cuda/simulated_solver_support.hpp"

extern "C" {
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info);
void sgetrf_(const int* m, const int* n, float* a, const int* lda, int* pivots, int* info);
void dgetrf_(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
void sgetrs_(const char* trans, const int* n, const int* nrhs, const float* a, const int* lda,
             const int* pivots, float* b, const int* ldb, int* info);
void dgetrs_(const char* trans, const int* n, const int* nrhs, const double* a, const int* lda,
             const int* pivots, double* b, const int* ldb, int* info);
}

namespace matgrad::simulated {
namespace {

constexpr cublasOperation_t kOperations[] = {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C};
constexpr cublasFillMode_t kTriangles[] = {CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER};
constexpr std::int64_t kSizes[] = {1, 2, 5, 16, 33};

int lapack_potrf(char uplo, int n, float* a, int ld) {
    int info = 0;
    spotrf_(&uplo, &n, a, &ld, &info);
    return info;
}
int lapack_potrf(char uplo, int n, double* a, int ld) {
    int info = 0;
    dpotrf_(&uplo, &n, a, &ld, &info);
    return info;
}
int lapack_getrf(int m, int n, float* a, int ld, int* pivots) {
    int info = 0;
    sgetrf_(&m, &n, a, &ld, pivots, &info);
    return info;
}
int lapack_getrf(int m, int n, double* a, int ld, int* pivots) {
    int info = 0;
    dgetrf_(&m, &n, a, &ld, pivots, &info);
    return info;
}
void lapack_getrs(char trans, int n, int nrhs, const float* a, int ld, const int* pivots, float* b,
                  int ldb) {
    int info = 0;
    sgetrs_(&trans, &n, &nrhs, a, &ld, pivots, b, &ldb, &info);
    ASSERT_EQ(info, 0);
}
void lapack_getrs(char trans, int n, int nrhs, const double* a, int ld, const int* pivots,
                  double* b, int ldb) {
    int info = 0;
    dgetrs_(&trans, &n, &nrhs, a, &ld, pivots, b, &ldb, &info);
    ASSERT_EQ(info, 0);
}

cusolverStatus_t potrf_batched(cusolverDnHandle_t h, cublasFillMode_t uplo, int n, float** a,
                               int ld, int* info, int batch) {
    return cusolverDnSpotrfBatched(h, uplo, n, a, ld, info, batch);
}
cusolverStatus_t potrf_batched(cusolverDnHandle_t h, cublasFillMode_t uplo, int n, double** a,
                               int ld, int* info, int batch) {
    return cusolverDnDpotrfBatched(h, uplo, n, a, ld, info, batch);
}
cublasStatus_t getrf_batched(cublasHandle_t h, int n, float* const* a, int ld, int* pivots,
                             int* info, int batch) {
    return cublasSgetrfBatched(h, n, a, ld, pivots, info, batch);
}
cublasStatus_t getrf_batched(cublasHandle_t h, int n, double* const* a, int ld, int* pivots,
                             int* info, int batch) {
    return cublasDgetrfBatched(h, n, a, ld, pivots, info, batch);
}
cublasStatus_t getrs_batched(cublasHandle_t h, cublasOperation_t trans, int n, int nrhs,
                             const float* const* a, int ld, const int* pivots, float* const* b,
                             int ldb, int* info, int batch) {
    return cublasSgetrsBatched(h, trans, n, nrhs, a, ld, pivots, b, ldb, info, batch);
}
cublasStatus_t getrs_batched(cublasHandle_t h, cublasOperation_t trans, int n, int nrhs,
                             const double* const* a, int ld, const int* pivots, double* const* b,
                             int ldb, int* info, int batch) {
    return cublasDgetrsBatched(h, trans, n, nrhs, a, ld, pivots, b, ldb, info, batch);
}

template <typename T>
class SimulatedFactors : public testing::Test {
protected:
    /// M M' + n I: its condition is at most 1 + n for entries of M in [-1, 1].
    static void make_positive(TestMatrices<T>& a) {
        TestMatrices<T> m = a;
        const std::int64_t n = a.layout().rows;
        for (std::int64_t p = 0; p < a.layout().batch; ++p) {
            for (std::int64_t j = 0; j < n; ++j) {
                for (std::int64_t i = 0; i < n; ++i) {
                    T sum = i == j ? static_cast<T>(n) : T(0);
                    for (std::int64_t l = 0; l < n; ++l) {
                        sum += m.at(p, i, l) * m.at(p, j, l);
                    }
                    a.at(p, i, j) = sum;
                }
            }
        }
        a.upload();
    }

    static bool is_named(cublasFillMode_t uplo, std::int64_t i, std::int64_t j) {
        return uplo == CUBLAS_FILL_MODE_LOWER ? i >= j : i <= j;
    }

    /// Matrix p on its own, ld n.
    static std::vector<T> copy_of(TestMatrices<T>& a, std::int64_t p) {
        std::vector<T> out;
        for (std::int64_t j = 0; j < a.layout().cols; ++j) {
            for (std::int64_t i = 0; i < a.layout().rows; ++i) {
                out.push_back(a.at(p, i, j));
            }
        }
        return out;
    }

    /// The factor multiplies to the named triangle of `before` (Higham, Theorem 10.3, entry by entry),
    /// and is LAPACK's up to the same errors of both times the condition.
    static void check_cholesky(cublasFillMode_t uplo, TestMatrices<T>& before,
                               TestMatrices<T>& after) {
        const bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
        const std::int64_t n = before.layout().rows;
        for (std::int64_t p = 0; p < before.layout().batch; ++p) {
            const auto l = [&](std::int64_t i, std::int64_t j) -> long double {
                return lower ? after.at(p, i, j) : after.at(p, j, i);
            };
            std::vector<T> lapack = copy_of(before, p);
            ASSERT_EQ(lapack_potrf(lower ? 'L' : 'U', static_cast<int>(n), lapack.data(),
                                   static_cast<int>(n)),
                      0);
            for (std::int64_t j = 0; j < n; ++j) {
                for (std::int64_t i = j; i < n; ++i) {
                    Sum sum;
                    for (std::int64_t k = 0; k <= j; ++k) {
                        sum.add(l(i, k) * l(j, k));
                    }
                    const T entry = lower ? before.at(p, i, j) : before.at(p, j, i);
                    ASSERT_TRUE(sum.is_near(entry)) << i << ", " << j << ": " << sum.value;
                    const T other = lapack[static_cast<std::size_t>(lower ? i + j * n : j + i * n)];
                    // |dL| <= c n eps cond |L|; the largest entry of L is below sqrt(n^2 + n).
                    const auto size = static_cast<long double>(n);
                    const long double bound = 4 * size * std::numeric_limits<T>::epsilon() *
                                              (size + 1) * std::sqrt(size * size + size);
                    ASSERT_LE(std::abs(l(i, j) - other), bound) << i << ", " << j;
                }
            }
        }
    }

    /// P A = L U within the rounding of one elimination, entry by entry (Higham, Theorem 9.3), with the
    /// pivots of LAPACK.
    template <typename Pivot>
    static void check_lu(TestMatrices<T>& before, std::int64_t p, TestMatrices<T>& after,
                         const Pivot* pivots) {
        const std::int64_t m = before.layout().rows;
        const std::int64_t n = before.layout().cols;
        const std::int64_t r = std::min(m, n);
        std::vector<T> lapack = copy_of(before, p);
        std::vector<int> theirs(static_cast<std::size_t>(r));
        ASSERT_EQ(lapack_getrf(static_cast<int>(m), static_cast<int>(n), lapack.data(),
                               static_cast<int>(m), theirs.data()),
                  0);
        std::vector<std::int64_t> rows(static_cast<std::size_t>(m));
        std::iota(rows.begin(), rows.end(), std::int64_t{0});
        for (std::int64_t k = 0; k < r; ++k) {
            if (pivots != nullptr) {
                ASSERT_EQ(pivots[k], theirs[static_cast<std::size_t>(k)]);
                std::swap(rows[static_cast<std::size_t>(k)],
                          rows[static_cast<std::size_t>(pivots[k] - 1)]);
            }
        }
        for (std::int64_t j = 0; j < n; ++j) {
            for (std::int64_t i = 0; i < m; ++i) {
                Sum sum;
                for (std::int64_t k = 0; k <= std::min({i, j, r - 1}); ++k) {
                    const long double l = i == k ? 1 : static_cast<long double>(after.at(p, i, k));
                    sum.add(l * after.at(p, k, j));
                }
                ASSERT_TRUE(sum.is_near(before.at(p, rows[static_cast<std::size_t>(i)], j)))
                    << "problem " << p << ", entry " << i << ", " << j;
            }
        }
    }

    /// Solutions of both within c n eps cond of one another. Entries of A are in [-1, 1] plus 2n on the
    /// diagonal, so |A^-1| <= 1/n and cond(A) <= 3 in the norm of the largest row sum.
    static void check_solution(cublasOperation_t trans, TestMatrices<T>& a, std::int64_t p,
                               TestMatrices<T>& before, TestMatrices<T>& after) {
        const auto n = static_cast<int>(before.layout().rows);
        const auto nrhs = static_cast<int>(before.layout().cols);
        std::vector<T> lapack = copy_of(a, p);
        std::vector<int> pivots(static_cast<std::size_t>(n));
        ASSERT_EQ(lapack_getrf(n, n, lapack.data(), n, pivots.data()), 0);
        std::vector<T> x = copy_of(before, p);
        lapack_getrs(trans == CUBLAS_OP_N ? 'N' : 'T', n, nrhs, lapack.data(), n, pivots.data(),
                     x.data(), n);
        T largest = 0;
        for (const T entry : x) {
            largest = std::max(largest, std::abs(entry));
        }
        const T bound = 20 * static_cast<T>(n) * std::numeric_limits<T>::epsilon() * 3 * largest;
        for (std::int64_t j = 0; j < nrhs; ++j) {
            for (std::int64_t i = 0; i < n; ++i) {
                ASSERT_NEAR(after.at(p, i, j), x[static_cast<std::size_t>(i + j * n)], bound);
            }
        }
    }
    static void make_dominant(TestMatrices<T>& a) {
        for (std::int64_t p = 0; p < a.layout().batch; ++p) {
            for (std::int64_t i = 0; i < a.layout().rows; ++i) {
                // The largest entry of its column, but not in its own row: pivots are not trivial.
                const std::int64_t row = (i + 1) % a.layout().rows;
                a.at(p, row, i) += 2 * static_cast<T>(a.layout().rows);
            }
        }
        a.upload();
    }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SimulatedFactors, Types);

TYPED_TEST(SimulatedFactors, PotrfBatchedIsTheFactorAndDestroysTheOtherTriangle) {
    using T = TypeParam;
    reset();
    const TestSolver solver;
    const DeviceArray<int> info(std::vector<int>{9, 9, 9});
    unsigned seed = 1;
    for (const std::int64_t n : kSizes) {
        for (const cublasFillMode_t uplo : kTriangles) {
            for (const std::int64_t pad : {0, 3}) {
                TestMatrices<T> a(Layout::of(n, n, 3, pad, pad), ++seed);
                this->make_positive(a);
                ASSERT_EQ(potrf_batched(solver, uplo, static_cast<int>(n), a.pointers(),
                                        static_cast<int>(a.layout().ld), info.data(), 3),
                          CUSOLVER_STATUS_SUCCESS);
                solver.wait();
                TestMatrices<T> after = a.fetch();
                EXPECT_EQ(info.download(), std::vector<int>({0, 0, 0}));
                ASSERT_NO_FATAL_FAILURE(this->check_cholesky(uplo, a, after)) << n << ", " << uplo;
                after.expect_only_changed(a, everywhere);
                for (std::int64_t j = 0; j < n; ++j) {
                    for (std::int64_t i = 0; i < n; ++i) {
                        ASSERT_EQ(std::isnan(after.at(1, i, j)), !this->is_named(uplo, i, j));
                    }
                }
            }
        }
    }
    expect_no_complaints();
}

TYPED_TEST(SimulatedFactors, PotrfBatchedNamesTheFirstBadMinorAndLetsNaNThrough) {
    using T = TypeParam;
    reset();
    const TestSolver solver;
    for (const cublasFillMode_t uplo : kTriangles) {
        const char letter = uplo == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U';
        const DeviceArray<int> info(std::vector<int>(5, 9));
        TestMatrices<T> a(Layout::of(6, 6, 5), 1);
        this->make_positive(a);
        a.at(1, 3, 3) = -1;
        a.at(2, 4, 4) = std::numeric_limits<T>::quiet_NaN();
        a.at(3, 0, 0) = 0;
        for (std::int64_t i = 0; i < 6; ++i) {  // problem 4 is problem 0
            for (std::int64_t j = 0; j < 6; ++j) {
                a.at(4, i, j) = a.at(0, i, j);
            }
        }
        a.upload();
        ASSERT_EQ(potrf_batched(solver, uplo, 6, a.pointers(), 6, info.data(), 5),
                  CUSOLVER_STATUS_SUCCESS);
        solver.wait();
        std::vector<int> expected;
        for (const std::int64_t p : {0, 1, 3}) {
            std::vector<T> lapack = this->copy_of(a, p);
            expected.push_back(lapack_potrf(letter, 6, lapack.data(), 6));
        }
        const std::vector<int> got = info.download();
        EXPECT_EQ(std::vector<int>({got[0], got[1], got[3]}), expected);
        EXPECT_EQ(expected, std::vector<int>({0, 4, 1}));
        EXPECT_EQ(got[2], 0);
        TestMatrices<T> after = a.fetch();
        EXPECT_TRUE(std::isfinite(after.at(2, 3, 3)));
        EXPECT_TRUE(std::isnan(after.at(2, 4, 4)));
        EXPECT_TRUE(std::isnan(after.at(2, 5, 5)));
        EXPECT_EQ(after.at(1, 3, 3), T(-1));
        for (std::int64_t i = 0; i < 6; ++i) {
            EXPECT_EQ(after.at(4, i, i), after.at(0, i, i));
        }
        expect_no_complaints();
    }
}

TYPED_TEST(SimulatedFactors, XpotrfIsTheFactorAndLeavesTheOtherTriangle) {
    using T = TypeParam;
    reset();
    TestSolver solver;
    const DeviceArray<int> info(std::vector<int>{9});
    unsigned seed = 1;
    for (const std::int64_t n : kSizes) {
        for (const cublasFillMode_t uplo : kTriangles) {
            for (const std::int64_t pad : {0, 3}) {
                TestMatrices<T> a(Layout::of(n, n, 1, pad), ++seed);
                this->make_positive(a);
                ASSERT_EQ(solver.potrf(uplo, n, kDataType<T>, a.base(), a.layout().ld, kDataType<T>,
                                       info.data()),
                          CUSOLVER_STATUS_SUCCESS);
                solver.wait();
                TestMatrices<T> after = a.fetch();
                EXPECT_EQ(info.download()[0], 0);
                ASSERT_NO_FATAL_FAILURE(this->check_cholesky(uplo, a, after)) << n << ", " << uplo;
                after.expect_only_changed(
                    a, [&](std::int64_t i, std::int64_t j) { return this->is_named(uplo, i, j); });
            }
        }
    }
    TestMatrices<T> bad(Layout::of(4, 4, 1), 1);
    this->make_positive(bad);
    bad.at(0, 2, 2) = -3;
    bad.upload();
    ASSERT_EQ(solver.potrf(CUBLAS_FILL_MODE_LOWER, 4, kDataType<T>, bad.base(), 4, kDataType<T>,
                           info.data()),
              CUSOLVER_STATUS_SUCCESS);
    solver.wait();
    EXPECT_EQ(info.download()[0], 3);
    expect_no_complaints();
}

TYPED_TEST(SimulatedFactors, SingleFactorizationsUseTheBuffersTheyAskFor) {
    using T = TypeParam;
    reset();
    const TestSolver solver;
    std::size_t device_bytes = 0;
    std::size_t host_bytes = 0;
    TestMatrices<T> a(Layout::of(3, 3, 1), 1);
    this->make_positive(a);
    ASSERT_EQ(cusolverDnXpotrf_bufferSize(solver, solver.parameters(), CUBLAS_FILL_MODE_LOWER, 3,
                                          kDataType<T>, a.base(), 3, kDataType<T>, &device_bytes,
                                          &host_bytes),
              CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(device_bytes % 2, 1u);
    EXPECT_EQ(host_bytes % 2, 1u);
    const DeviceArray<int> info(1);
    std::vector<unsigned char> host(host_bytes + 1, 0);
    const DeviceArray<unsigned char> device(std::vector<unsigned char>(device_bytes + 1, 0));
    const auto factor = [&](std::size_t device_given, std::size_t host_given) {
        return cusolverDnXpotrf(solver, solver.parameters(), CUBLAS_FILL_MODE_LOWER, 3,
                                kDataType<T>, a.base(), 3, kDataType<T>, device.data(),
                                device_given, host.data(), host_given, info.data());
    };
    EXPECT_EQ(factor(device_bytes - 1, host_bytes), CUSOLVER_STATUS_INVALID_VALUE);
    EXPECT_EQ(factor(device_bytes, host_bytes - 1), CUSOLVER_STATUS_INVALID_VALUE);
    EXPECT_EQ(host[0], 0);
    EXPECT_EQ(factor(device_bytes, host_bytes), CUSOLVER_STATUS_SUCCESS);
    solver.wait();
    const std::vector<unsigned char> scratch = device.download();
    EXPECT_EQ(scratch[device_bytes - 1], 0xFF);
    EXPECT_EQ(scratch[device_bytes], 0);
    EXPECT_EQ(host[host_bytes - 1], 0xFF);
    EXPECT_EQ(host[host_bytes], 0);
    expect_no_complaints();
}

TYPED_TEST(SimulatedFactors, GetrfBatchedIsTheFactorWithAndWithoutPivots) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    unsigned seed = 1;
    for (const std::int64_t n : kSizes) {
        for (const std::int64_t pad : {0, 2}) {
            for (const bool pivoting : {true, false}) {
                TestMatrices<T> a(Layout::of(n, n, 3, pad, pad), ++seed);
                if (!pivoting) {
                    this->make_positive(a);  // so that LAPACK does not exchange rows either
                    for (std::int64_t i = 0; i < n; ++i) {
                        for (std::int64_t p = 0; p < 3; ++p) {
                            a.at(p, i, i) += static_cast<T>(n * n);
                        }
                    }
                    a.upload();
                }
                const DeviceArray<int> info(std::vector<int>(3, 9));
                const DeviceArray<int> pivots(static_cast<std::size_t>(3 * n));
                ASSERT_EQ(getrf_batched(blas, static_cast<int>(n), a.pointers(),
                                        static_cast<int>(a.layout().ld),
                                        pivoting ? pivots.data() : nullptr, info.data(), 3),
                          CUBLAS_STATUS_SUCCESS);
                blas.wait();
                EXPECT_EQ(info.download(), std::vector<int>({0, 0, 0}));
                TestMatrices<T> after = a.fetch();
                after.expect_only_changed(a, everywhere);
                const std::vector<int> chosen = pivots.download();
                for (std::int64_t p = 0; p < 3; ++p) {
                    ASSERT_NO_FATAL_FAILURE(
                        this->check_lu(a, p, after, pivoting ? chosen.data() + p * n : nullptr))
                        << n << ", " << pivoting;
                }
            }
        }
    }
    expect_no_complaints();
}

TYPED_TEST(SimulatedFactors, GetrfBatchedGoesOnBehindAZeroPivot) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(4, 4, 3), 5);
    for (std::int64_t i = 0; i < 4; ++i) {
        a.at(1, i, 1) = 0;              // U(2,2) is 0, and so is all below it
        a.at(2, i, 3) = a.at(2, i, 0);  // singular at the last pivot, up to rounding
    }
    a.at(0, 2, 2) = std::numeric_limits<T>::quiet_NaN();
    a.upload();
    const DeviceArray<int> info(std::vector<int>(3, 9));
    const DeviceArray<int> pivots(12);
    ASSERT_EQ(getrf_batched(blas, 4, a.pointers(), 4, pivots.data(), info.data(), 3),
              CUBLAS_STATUS_SUCCESS);
    blas.wait();
    const std::vector<int> codes = info.download();
    std::vector<T> lapack = this->copy_of(a, 1);
    int theirs[4];
    EXPECT_EQ(codes[1], lapack_getrf(4, 4, lapack.data(), 4, theirs));
    EXPECT_EQ(codes[1], 2);
    EXPECT_EQ(codes[0], 0);
    TestMatrices<T> after = a.fetch();
    EXPECT_EQ(after.at(1, 1, 1), T(0));
    EXPECT_TRUE(std::isnan(after.at(1, 2, 1)));
    EXPECT_TRUE(std::isnan(after.at(1, 3, 3)));
    EXPECT_TRUE(std::isnan(after.at(0, 3, 3)));
    for (const int pivot : pivots.download()) {
        EXPECT_TRUE(pivot >= 1 && pivot <= 4);
    }
}

TYPED_TEST(SimulatedFactors, GetrsBatchedSolvesForEveryFlag) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    unsigned seed = 1;
    for (const std::int64_t n : kSizes) {
        for (const std::int64_t nrhs : {1, 4}) {
            for (const cublasOperation_t trans : kOperations) {
                for (const std::int64_t pad : {0, 2}) {
                    TestMatrices<T> a(Layout::of(n, n, 2, pad), ++seed);
                    this->make_dominant(a);
                    TestMatrices<T> b(Layout::of(n, nrhs, 2, 2 * pad, pad), ++seed);
                    TestMatrices<T> before = a;
                    const DeviceArray<int> info(2);
                    const DeviceArray<int> pivots(static_cast<std::size_t>(2 * n));
                    const auto size = static_cast<int>(n);
                    const auto ld = static_cast<int>(a.layout().ld);
                    int host_info = 9;
                    ASSERT_EQ(
                        getrf_batched(blas, size, a.pointers(), ld, pivots.data(), info.data(), 2),
                        CUBLAS_STATUS_SUCCESS);
                    ASSERT_EQ(getrs_batched(blas, trans, size, static_cast<int>(nrhs), a.pointers(),
                                            ld, pivots.data(), b.pointers(),
                                            static_cast<int>(b.layout().ld), &host_info, 2),
                              CUBLAS_STATUS_SUCCESS);
                    EXPECT_EQ(host_info, 0);
                    blas.wait();
                    TestMatrices<T> after = b.fetch();
                    after.expect_only_changed(b, everywhere);
                    for (std::int64_t p = 0; p < 2; ++p) {
                        ASSERT_NO_FATAL_FAILURE(this->check_solution(trans, before, p, b, after))
                            << n << ", " << trans;
                    }
                }
            }
        }
    }
    expect_no_complaints();
    const DeviceArray<int> nonsense(std::vector<int>{1, 7});
    TestMatrices<T> a(Layout::of(2, 2, 1), 1);
    TestMatrices<T> b(Layout::of(2, 1, 1), 2);
    int host_info = 9;
    ASSERT_EQ(getrs_batched(blas, CUBLAS_OP_N, 2, 1, a.pointers(), 2, nonsense.data(), b.pointers(),
                            2, &host_info, 1),
              CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("devIpiv of problem 0 holds no pivots");
}

TYPED_TEST(SimulatedFactors, XgetrfAndXgetrsFactorAndSolve) {
    using T = TypeParam;
    reset();
    TestSolver solver;
    unsigned seed = 1;
    const std::int64_t shapes[][2] = {{1, 1}, {5, 5}, {7, 4}, {4, 7}, {33, 33}};
    for (const auto& [m, n] : shapes) {
        for (const cublasOperation_t trans : kOperations) {
            for (const std::int64_t pad : {0, 3}) {
                TestMatrices<T> a(Layout::of(m, n, 1, pad), ++seed);
                if (m == n) {
                    this->make_dominant(a);
                }
                const DeviceArray<int> info(std::vector<int>{9});
                const DeviceArray<std::int64_t> pivots(static_cast<std::size_t>(std::min(m, n)));
                ASSERT_EQ(solver.getrf(m, n, kDataType<T>, a.base(), a.layout().ld, pivots.data(),
                                       kDataType<T>, info.data()),
                          CUSOLVER_STATUS_SUCCESS);
                solver.wait();
                EXPECT_EQ(info.download()[0], 0);
                TestMatrices<T> factors = a.fetch();
                factors.expect_only_changed(a, everywhere);
                ASSERT_NO_FATAL_FAILURE(this->check_lu(a, 0, factors, pivots.download().data()));
                if (m != n) {
                    continue;
                }
                TestMatrices<T> b(Layout::of(n, 3, 1, 2 * pad), ++seed);
                info.upload({9});
                ASSERT_EQ(cusolverDnXgetrs(solver, solver.parameters(), trans, n, 3, kDataType<T>,
                                           a.base(), a.layout().ld, pivots.data(), kDataType<T>,
                                           b.base(), b.layout().ld, info.data()),
                          CUSOLVER_STATUS_SUCCESS);
                solver.wait();
                EXPECT_EQ(info.download()[0], 0);
                TestMatrices<T> after = b.fetch();
                after.expect_only_changed(b, everywhere);
                ASSERT_NO_FATAL_FAILURE(this->check_solution(trans, a, 0, b, after));
            }
        }
    }
    expect_no_complaints();
}

}  // namespace
}  // namespace matgrad::simulated
