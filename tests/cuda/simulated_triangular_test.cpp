/// The stand-ins of cuBLAS that work on triangles, against their definitions summed in long double.

#include "cuda/simulated_blas_support.hpp"

namespace matgrad::simulated {
namespace {

constexpr cublasOperation_t kOperations[] = {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C};
constexpr cublasFillMode_t kTriangles[] = {CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER};

template <typename T>
class SimulatedTriangles : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SimulatedTriangles, Types);

cublasStatus_t syrk(cublasHandle_t h, cublasFillMode_t uplo, cublasOperation_t trans,
                    std::int64_t n, std::int64_t k, const float* alpha, const float* a,
                    std::int64_t lda, const float* beta, float* c, std::int64_t ldc) {
    return cublasSsyrk_64(h, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
}
cublasStatus_t syrk(cublasHandle_t h, cublasFillMode_t uplo, cublasOperation_t trans,
                    std::int64_t n, std::int64_t k, const double* alpha, const double* a,
                    std::int64_t lda, const double* beta, double* c, std::int64_t ldc) {
    return cublasDsyrk_64(h, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
}

TYPED_TEST(SimulatedTriangles, SyrkWritesTheNamedTriangleOfTheProduct) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const T scales[][2] = {{1, 0}, {T(-1.5), T(0.5)}, {0, 2}, {0, 0}};
    const std::int64_t sizes[][2] = {{1, 1}, {4, 3}, {5, 0}, {13, 20}};
    unsigned seed = 1;
    for (const auto& [n, k] : sizes) {
        for (const cublasFillMode_t uplo : kTriangles) {
            for (const cublasOperation_t trans : kOperations) {
                for (const auto& [alpha, beta] : scales) {
                    for (const std::int64_t pad : {0, 3}) {
                        const bool transposed = trans != CUBLAS_OP_N;
                        TestMatrices<T> a(
                            Layout::of(transposed ? k : n, transposed ? n : k, 1, pad), ++seed);
                        TestMatrices<T> c(Layout::of(n, n, 1, 2 * pad), ++seed);
                        if (beta == T(0)) {
                            c.fill(std::numeric_limits<T>::quiet_NaN());
                        }
                        ASSERT_EQ(syrk(blas, uplo, trans, n, k, &alpha, a.base(), a.layout().ld,
                                       &beta, c.base(), c.layout().ld),
                                  CUBLAS_STATUS_SUCCESS);
                        blas.wait();
                        TestMatrices<T> after = c.fetch();
                        const auto named = [&](std::int64_t i, std::int64_t j) {
                            return uplo == CUBLAS_FILL_MODE_LOWER ? i >= j : i <= j;
                        };
                        after.expect_only_changed(c, named);
                        for (std::int64_t j = 0; j < n; ++j) {
                            for (std::int64_t i = 0; i < n; ++i) {
                                if (!named(i, j)) {
                                    continue;
                                }
                                Sum sum;
                                for (std::int64_t l = 0; l < k; ++l) {
                                    sum.add(static_cast<long double>(alpha) *
                                            a.op(transposed, 0, i, l) * a.op(transposed, 0, j, l));
                                }
                                if (beta != T(0)) {
                                    sum.add(static_cast<long double>(beta) * c.at(0, i, j));
                                }
                                ASSERT_TRUE(sum.is_near(after.at(0, i, j))) << i << ", " << j;
                            }
                        }
                    }
                }
            }
        }
    }
    expect_no_complaints();
}

/// A triangular solve, as either function takes it.
template <typename T>
struct Solve {
    cublasSideMode_t side = CUBLAS_SIDE_LEFT;
    cublasFillMode_t uplo = CUBLAS_FILL_MODE_LOWER;
    cublasOperation_t trans = CUBLAS_OP_N;
    cublasDiagType_t diag = CUBLAS_DIAG_NON_UNIT;
    std::int64_t m = 1, n = 1;
    T alpha = 1;

    [[nodiscard]] std::int64_t order() const { return side == CUBLAS_SIDE_LEFT ? m : n; }

    cublasStatus_t run_one(cublasHandle_t blas, const T* a, std::int64_t lda, T* b,
                           std::int64_t ldb) const {
        if constexpr (std::is_same_v<T, double>) {
            return cublasDtrsm_64(blas, side, uplo, trans, diag, m, n, &alpha, a, lda, b, ldb);
        } else {
            return cublasStrsm_64(blas, side, uplo, trans, diag, m, n, &alpha, a, lda, b, ldb);
        }
    }
    cublasStatus_t run_batch(cublasHandle_t blas, const T* const* a, std::int64_t lda, T* const* b,
                             std::int64_t ldb, std::int64_t batch) const {
        if constexpr (std::is_same_v<T, double>) {
            return cublasDtrsmBatched_64(blas, side, uplo, trans, diag, m, n, &alpha, a, lda, b,
                                         ldb, batch);
        } else {
            return cublasStrsmBatched_64(blas, side, uplo, trans, diag, m, n, &alpha, a, lda, b,
                                         ldb, batch);
        }
    }

    /// Entry of op(T) for the named triangle alone.
    long double entry(TestMatrices<T>& a, std::int64_t p, std::int64_t i, std::int64_t j) const {
        const bool transposed = trans != CUBLAS_OP_N;
        if (i == j && diag == CUBLAS_DIAG_UNIT) {
            return 1;
        }
        const std::int64_t row = transposed ? j : i;
        const std::int64_t col = transposed ? i : j;
        const bool named = uplo == CUBLAS_FILL_MODE_LOWER ? row >= col : row <= col;
        return named ? static_cast<long double>(a.at(p, row, col)) : 0;
    }

    /// op(T) x = alpha b within the rounding of one substitution, entry by entry: the componentwise
    /// backward error of substitution (Higham, Theorem 8.5), so no condition number enters.
    void check(TestMatrices<T>& a, TestMatrices<T>& before, TestMatrices<T>& after) const {
        for (std::int64_t p = 0; p < before.layout().batch; ++p) {
            for (std::int64_t j = 0; j < n; ++j) {
                for (std::int64_t i = 0; i < m; ++i) {
                    Sum sum;
                    for (std::int64_t l = 0; l < order(); ++l) {
                        sum.add(
                            side == CUBLAS_SIDE_LEFT
                                ? entry(a, p, i, l) * static_cast<long double>(after.at(p, l, j))
                                : static_cast<long double>(after.at(p, i, l)) * entry(a, p, l, j));
                    }
                    const T b = alpha == T(0) ? T(0) : alpha * before.at(p, i, j);
                    ASSERT_TRUE(sum.is_near(b)) << "problem " << p << ", entry (" << i << ", " << j
                                                << "): " << sum.value << " for " << b;
                }
            }
        }
        after.expect_only_changed(before, everywhere);
    }
};

/// A triangle well away from singular, NaN in what may not be read.
template <typename T>
TestMatrices<T> triangles(const Solve<T>& solve, const Layout& layout, unsigned seed) {
    TestMatrices<T> a(layout, seed);
    for (std::int64_t p = 0; p < layout.batch; ++p) {
        for (std::int64_t j = 0; j < layout.cols; ++j) {
            for (std::int64_t i = 0; i < layout.rows; ++i) {
                const bool named = solve.uplo == CUBLAS_FILL_MODE_LOWER ? i >= j : i <= j;
                const bool unread = !named || (i == j && solve.diag == CUBLAS_DIAG_UNIT);
                if (unread) {
                    a.at(p, i, j) = std::numeric_limits<T>::quiet_NaN();
                } else if (i == j) {
                    a.at(p, i, j) = std::copysign(T(2), a.at(p, i, j)) + a.at(p, i, j);
                }
            }
        }
    }
    a.upload();
    return a;
}

TYPED_TEST(SimulatedTriangles, TrsmSolvesForEverySideTriangleFlagAndDiagonal) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    unsigned seed = 1;
    const std::int64_t sizes[][2] = {{1, 1}, {4, 2}, {3, 6}, {11, 5}};
    for (const auto& [m, n] : sizes) {
        for (const cublasSideMode_t side : {CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT}) {
            for (const cublasFillMode_t uplo : kTriangles) {
                for (const cublasOperation_t trans : kOperations) {
                    for (const cublasDiagType_t diag : {CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT}) {
                        for (const T alpha : {T(1), T(-0.5), T(0)}) {
                            for (const std::int64_t pad : {0, 2}) {
                                const Solve<T> solve{side, uplo, trans, diag, m, n, alpha};
                                const Layout la = Layout::of(solve.order(), solve.order(), 3, pad);
                                TestMatrices<T> a = triangles(solve, la, ++seed);
                                TestMatrices<T> b(Layout::of(m, n, 3, 2 * pad, pad), ++seed);
                                ASSERT_EQ(solve.run_batch(blas, a.pointers(), la.ld, b.pointers(),
                                                          b.layout().ld, 3),
                                          CUBLAS_STATUS_SUCCESS);
                                blas.wait();
                                TestMatrices<T> after = b.fetch();
                                ASSERT_NO_FATAL_FAILURE(solve.check(a, b, after));
                                b.upload();
                                ASSERT_EQ(
                                    solve.run_one(blas, a.base() + la.stride, la.ld,
                                                  b.base() + b.layout().stride, b.layout().ld),
                                    CUBLAS_STATUS_SUCCESS);
                                blas.wait();
                                TestMatrices<T> one = b.fetch();
                                for (std::int64_t j = 0; j < n; ++j) {
                                    for (std::int64_t i = 0; i < m; ++i) {
                                        ASSERT_EQ(one.at(1, i, j), after.at(1, i, j));
                                        ASSERT_EQ(one.at(0, i, j), b.at(0, i, j));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    expect_no_complaints();
}

TYPED_TEST(SimulatedTriangles, TrsmDividesByAZeroOnTheDiagonal) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const Solve<T> solve{
        CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, CUBLAS_DIAG_NON_UNIT, 2, 1, 1};
    TestMatrices<T> a(Layout::of(2, 2, 1), 1);
    a.fill(1);
    a.at(0, 0, 0) = 0;
    a.upload();
    TestMatrices<T> b(Layout::of(2, 1, 1), 2);
    b.fill(1);
    ASSERT_EQ(solve.run_one(blas, a.base(), 2, b.base(), 2), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = b.fetch();
    EXPECT_EQ(after.at(0, 0, 0), std::numeric_limits<T>::infinity());
    EXPECT_EQ(after.at(0, 1, 0), -std::numeric_limits<T>::infinity());
}

TYPED_TEST(SimulatedTriangles, TrsmRefusesRightHandSidesThatAreShared) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const Solve<T> solve{
        CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, CUBLAS_DIAG_NON_UNIT, 3, 2, 1};
    TestMatrices<T> a = triangles(solve, Layout::of(3, 3, 2).shared(), 1);
    TestMatrices<T> b(Layout::of(3, 2, 2).shared(), 2);
    ASSERT_EQ(solve.run_batch(blas, a.pointers(), 3, b.pointers(), 3, 2), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("B of problem 0 and B of problem 1, both written, overlap");
}

}  // namespace
}  // namespace matgrad::simulated
