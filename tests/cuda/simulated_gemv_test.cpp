/// The stand-ins of cuBLAS for matrix times vector, and for one product, against their definition.

#include "cuda/simulated_blas_support.hpp"

namespace matgrad::simulated {
namespace {

template <typename T>
struct Functions;
template <>
struct Functions<float> {
    static constexpr auto kOne = cublasSgemv_64;
    static constexpr auto kBatch = cublasSgemvStridedBatched_64;
};
template <>
struct Functions<double> {
    static constexpr auto kOne = cublasDgemv_64;
    static constexpr auto kBatch = cublasDgemvStridedBatched_64;
};

template <typename T>
class SimulatedGemv : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SimulatedGemv, Types);

TYPED_TEST(SimulatedGemv, IsTheProductForEveryFlagSizePaddingAndStride) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const std::int64_t sizes[][2] = {{1, 1}, {3, 2}, {2, 5}, {17, 9}};
    const T scales[][2] = {{1, 0}, {T(-2.5), T(0.5)}, {0, T(1.5)}, {0, 0}};
    unsigned seed = 1;
    for (const auto& [m, n] : sizes) {
        for (const cublasOperation_t trans : {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C}) {
            for (int form = 0; form < 4; ++form) {
                for (const auto& [alpha, beta] : scales) {
                    const bool transposed = trans != CUBLAS_OP_N;
                    const std::int64_t in = transposed ? m : n;
                    const std::int64_t out = transposed ? n : m;
                    // A vector is a matrix of one row, its increment the leading dimension.
                    const std::int64_t batch = form == 3 ? 1 : 3;
                    Layout la = Layout::of(m, n, batch, form, form);
                    Layout lx = Layout::of(1, in, batch, form);
                    const Layout ly = Layout::of(1, out, batch, 2 * form, form);
                    la = form == 1 ? la.shared() : la;
                    lx = form == 2 ? lx.shared() : lx;
                    TestMatrices<T> a(la, ++seed);
                    TestMatrices<T> x(lx, ++seed);
                    TestMatrices<T> y(ly, ++seed);
                    if (form == 3) {
                        ASSERT_EQ(Functions<T>::kOne(blas, trans, m, n, &alpha, a.base(), la.ld,
                                                     x.base(), lx.ld, &beta, y.base(), ly.ld),
                                  CUBLAS_STATUS_SUCCESS);
                    } else {
                        ASSERT_EQ(Functions<T>::kBatch(blas, trans, m, n, &alpha, a.base(), la.ld,
                                                       la.stride, x.base(), lx.ld, lx.stride, &beta,
                                                       y.base(), ly.ld, ly.stride, batch),
                                  CUBLAS_STATUS_SUCCESS);
                    }
                    blas.wait();
                    TestMatrices<T> after = y.fetch();
                    for (std::int64_t p = 0; p < batch; ++p) {
                        for (std::int64_t i = 0; i < out; ++i) {
                            Sum sum;
                            for (std::int64_t l = 0; l < in; ++l) {
                                sum.add(static_cast<long double>(alpha) *
                                        a.op(transposed, p, i, l) * x.at(p, 0, l));
                            }
                            if (beta != T(0)) {
                                sum.add(static_cast<long double>(beta) * y.at(p, 0, i));
                            }
                            ASSERT_TRUE(sum.is_near(after.at(p, 0, i)))
                                << m << "x" << n << ", " << trans << ", form " << form
                                << ", problem " << p << ", entry " << i;
                        }
                    }
                    after.expect_only_changed(y, everywhere);
                }
            }
        }
    }
    expect_no_complaints();
}

TYPED_TEST(SimulatedGemv, RefusesWrongArgumentsAndForeignMemory) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const TestMatrices<T> a(Layout::of(3, 2, 2), 1);
    const TestMatrices<T> x(Layout::of(1, 3, 2), 2);
    const TestMatrices<T> y(Layout::of(1, 3, 2), 3);
    const T one = 1;
    const auto call = [&](cublasOperation_t trans, std::int64_t m, std::int64_t n, const T* alpha,
                          std::int64_t lda, std::int64_t incx, T* to, std::int64_t batch) {
        return Functions<T>::kBatch(blas, trans, m, n, alpha, a.base(), lda, 6, x.base(), incx, 3,
                                    &one, to, 1, 3, batch);
    };
    EXPECT_EQ(call(CUBLAS_OP_N, -1, 2, &one, 3, 1, y.base(), 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, -1, &one, 3, 1, y.base(), 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, nullptr, 3, 1, y.base(), 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 2, 1, y.base(), 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 3, 0, y.base(), 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 3, 1, y.base(), -1), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 3, 1, nullptr, 2), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 0, &one, 3, 1, y.base(), 2), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(pending_tasks(), 0u);
    expect_no_complaints();
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 3, 1, y.base(), 3), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("A of problem 2");
    EXPECT_EQ(call(CUBLAS_OP_N, 3, 2, &one, 3, 1, x.base(), 2), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("which is read, overlaps y of problem 0");
}

TYPED_TEST(SimulatedGemv, OneGemmIsABatchOfOne) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(4, 3, 1, 1), 1);
    TestMatrices<T> b(Layout::of(5, 4, 1), 2);
    TestMatrices<T> c(Layout::of(3, 5, 1, 2), 3);
    const T alpha = 2;
    const T beta = T(0.5);
    ASSERT_EQ(cublasGemmEx_64(blas, CUBLAS_OP_T, CUBLAS_OP_T, 3, 5, 4, &alpha, a.base(),
                              kDataType<T>, 5, b.base(), kDataType<T>, 5, &beta, c.base(),
                              kDataType<T>, 5, kComputeType<T>, CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = c.fetch();
    for (std::int64_t j = 0; j < 5; ++j) {
        for (std::int64_t i = 0; i < 3; ++i) {
            Sum sum;
            for (std::int64_t l = 0; l < 4; ++l) {
                sum.add(2.0L * a.at(0, l, i) * b.at(0, j, l));
            }
            sum.add(0.5L * c.at(0, i, j));
            EXPECT_TRUE(sum.is_near(after.at(0, i, j))) << i << ", " << j;
        }
    }
    after.expect_only_changed(c, everywhere);
    expect_no_complaints();
}

}  // namespace
}  // namespace matgrad::simulated
