/// The stand-ins of cuBLAS for products, against their definition summed in long double.

#include <memory>

#include "cuda/simulated_blas_support.hpp"

namespace matgrad::simulated {
namespace {

constexpr cublasOperation_t kOperations[] = {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C};

/// One product of a batch, as either function takes it.
template <typename T>
struct Product {
    cublasOperation_t transa = CUBLAS_OP_N, transb = CUBLAS_OP_N;
    std::int64_t m = 1, n = 1, k = 1;
    T alpha = 1, beta = 0;
    bool by_pointers = false;

    cublasStatus_t run(cublasHandle_t blas, const TestMatrices<T>& a, const TestMatrices<T>& b,
                       const TestMatrices<T>& c) const {
        const Layout& la = a.layout();
        const Layout& lb = b.layout();
        const Layout& lc = c.layout();
        if (by_pointers) {
            return cublasGemmBatchedEx_64(
                blas, transa, transb, m, n, k, &alpha, reinterpret_cast<void**>(a.pointers()),
                kDataType<T>, la.ld, reinterpret_cast<void**>(b.pointers()), kDataType<T>, lb.ld,
                &beta, reinterpret_cast<void**>(c.pointers()), kDataType<T>, lc.ld, lc.batch,
                kComputeType<T>, CUBLAS_GEMM_DEFAULT);
        }
        return cublasGemmStridedBatchedEx_64(
            blas, transa, transb, m, n, k, &alpha, a.base(), kDataType<T>, la.ld, la.stride,
            b.base(), kDataType<T>, lb.ld, lb.stride, &beta, c.base(), kDataType<T>, lc.ld,
            lc.stride, lc.batch, kComputeType<T>, CUBLAS_GEMM_DEFAULT);
    }

    void check(TestMatrices<T>& a, TestMatrices<T>& b, TestMatrices<T>& before,
               TestMatrices<T>& after) const {
        for (std::int64_t p = 0; p < before.layout().batch; ++p) {
            for (std::int64_t j = 0; j < n; ++j) {
                for (std::int64_t i = 0; i < m; ++i) {
                    Sum sum;
                    for (std::int64_t l = 0; l < k; ++l) {
                        sum.add(static_cast<long double>(alpha) *
                                a.op(transa != CUBLAS_OP_N, p, i, l) *
                                b.op(transb != CUBLAS_OP_N, p, l, j));
                    }
                    if (beta != T(0)) {
                        sum.add(static_cast<long double>(beta) * before.at(p, i, j));
                    }
                    ASSERT_TRUE(sum.is_near(after.at(p, i, j)))
                        << "problem " << p << ", entry (" << i << ", " << j
                        << "): " << after.at(p, i, j) << " for " << sum.value;
                }
            }
        }
        after.expect_only_changed(before, everywhere);
    }
};

template <typename T>
class SimulatedBlas : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SimulatedBlas, Types);

TYPED_TEST(SimulatedBlas, GemmIsTheProductForEveryFlagSizePaddingAndStride) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const std::int64_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {4, 7, 1}, {2, 3, 0}, {17, 9, 33}};
    const T scales[][2] = {{1, 0}, {T(-2.5), T(0.5)}, {0, T(1.5)}, {0, 0}};
    unsigned seed = 1;
    for (const auto& [m, n, k] : sizes) {
        for (const cublasOperation_t transa : kOperations) {
            for (const cublasOperation_t transb : kOperations) {
                for (int form = 0; form < 5; ++form) {
                    for (const auto& [alpha, beta] : scales) {
                        const std::int64_t pad = form;
                        Layout la = Layout::of(transa == CUBLAS_OP_N ? m : k,
                                               transa == CUBLAS_OP_N ? k : m, 3, pad, form);
                        Layout lb = Layout::of(transb == CUBLAS_OP_N ? k : n,
                                               transb == CUBLAS_OP_N ? n : k, 3, pad, 0);
                        Layout lc = Layout::of(m, n, 3, 2 * pad, form);
                        la = form == 1 ? la.shared() : form == 2 ? la.backwards() : la;
                        lb = form == 2 ? lb.shared() : form == 3 ? lb.backwards() : lb;
                        lc = form == 3 ? lc.backwards() : lc;
                        TestMatrices<T> a(la, ++seed);
                        TestMatrices<T> b(lb, ++seed);
                        TestMatrices<T> c(lc, ++seed);
                        const Product<T> product{transa, transb, m, n, k, alpha, beta, form == 4};
                        ASSERT_EQ(product.run(blas, a, b, c), CUBLAS_STATUS_SUCCESS);
                        blas.wait();
                        TestMatrices<T> after = c.fetch();
                        ASSERT_NO_FATAL_FAILURE(product.check(a, b, c, after))
                            << m << "x" << n << "x" << k << ", " << transa << transb << ", form "
                            << form << ", alpha " << alpha << ", beta " << beta;
                    }
                }
            }
        }
    }
    expect_no_complaints();
}

TYPED_TEST(SimulatedBlas, GemmDoesNotReadCWhereBetaIsZero) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(3, 2, 1), 1);
    TestMatrices<T> b(Layout::of(2, 4, 1), 2);
    TestMatrices<T> c(Layout::of(3, 4, 1), 3);
    c.fill(std::numeric_limits<T>::quiet_NaN());
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 3, 4, 2, 2, 0, false};
    ASSERT_EQ(product.run(blas, a, b, c), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = c.fetch();
    product.check(a, b, c, after);
    expect_no_complaints();
}

TYPED_TEST(SimulatedBlas, GemmLetsNaNAndInfinityThroughZeros) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(2, 2, 1), 1);
    TestMatrices<T> b(Layout::of(2, 2, 1), 2);
    TestMatrices<T> c(Layout::of(2, 2, 1), 3);
    a.fill(0);
    a.at(0, 1, 1) = std::numeric_limits<T>::infinity();
    a.upload();
    b.fill(0);
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, 1, 0, false};
    ASSERT_EQ(product.run(blas, a, b, c), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = c.fetch();
    EXPECT_EQ(after.at(0, 0, 0), T(0));
    EXPECT_TRUE(std::isnan(after.at(0, 1, 0)));
}

TYPED_TEST(SimulatedBlas, AProblemHasTheSameBitsWhereverItIsInTheBatch) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    const Layout layout = Layout::of(7, 7, 5);
    TestMatrices<T> a(layout, 1);
    TestMatrices<T> b(layout, 2);
    TestMatrices<T> c(layout, 3);
    for (std::int64_t j = 0; j < 7; ++j) {
        for (std::int64_t i = 0; i < 7; ++i) {
            a.at(4, i, j) = a.at(0, i, j);
            b.at(4, i, j) = b.at(0, i, j);
        }
    }
    a.upload();
    b.upload();
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_T, 7, 7, 7, 1, 0, false};
    ASSERT_EQ(product.run(blas, a, b, c), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = c.fetch();
    EXPECT_EQ(std::memcmp(&after.at(0, 0, 0), &after.at(4, 0, 0), 49 * sizeof(T)), 0);
    EXPECT_NE(std::memcmp(&after.at(0, 0, 0), &after.at(1, 0, 0), 49 * sizeof(T)), 0);
}

TYPED_TEST(SimulatedBlas, GemmAcceptsInterleavedResultsAndRefusesOverlappingOnes) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(2, 3, 4), 1);
    TestMatrices<T> b(Layout::of(3, 5, 4), 2);
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 2, 5, 3, 1, 0, false};
    // Columns of the four problems take turns: rows of one tall matrix.
    TestMatrices<T> rows({2, 5, 8, 2, 4}, 3);
    ASSERT_EQ(product.run(blas, a, b, rows), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    TestMatrices<T> after = rows.fetch();
    product.check(a, b, rows, after);
    expect_no_complaints();

    TestMatrices<T> crowded({2, 5, 8, 1, 4}, 3);
    ASSERT_EQ(product.run(blas, a, b, crowded), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("C of problem 0 and C of problem 1, both written, overlap");
    crowded.fetch().expect_only_changed(crowded, [](auto, auto) { return false; });
}

TYPED_TEST(SimulatedBlas, GemmRefusesToWriteWhatItReads) {
    using T = TypeParam;
    reset();
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(3, 3, 2), 1);
    TestMatrices<T> b(Layout::of(3, 3, 2), 2);
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, 1, 0, false};
    ASSERT_EQ(product.run(blas, a, b, b), CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("B of problem 0, which is read, overlaps C of problem 0, which is written");
}

TYPED_TEST(SimulatedBlas, MemoryIsLookedAtWhenTheWorkRuns) {
    using T = TypeParam;
    reset({1, std::size_t{1} << 30, CUDART_VERSION}, {1, 0});
    const TestBlas blas;
    const Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, 1, 0, false};
    TestMatrices<T> a(Layout::of(3, 3, 2), 1);
    TestMatrices<T> c(Layout::of(3, 3, 2), 2);
    std::vector<T> on_host(18, T(1));
    const T one = 1;
    const T zero = 0;
    ASSERT_EQ(cublasGemmStridedBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, &one, a.base(),
                                            kDataType<T>, 3, 9, on_host.data(), kDataType<T>, 3, 9,
                                            &zero, c.base(), kDataType<T>, 3, 9, 2, kComputeType<T>,
                                            CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    EXPECT_TRUE(complaints().empty());
    blas.wait();
    expect_complaint("B of problem 0 (" + std::to_string(9 * sizeof(T)) +
                     " bytes) is not memory of device 0");
    // One problem too many: past the end of A.
    ASSERT_EQ(cublasGemmStridedBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, &one, a.base(),
                                            kDataType<T>, 3, 9, a.base(), kDataType<T>, 3, 0, &zero,
                                            c.base(), kDataType<T>, 3, 9, 3, kComputeType<T>,
                                            CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("A of problem 2");
    // Pointers that the host keeps.
    T* pointers[] = {a.base(), a.base() + 9};
    auto* const kept = reinterpret_cast<void**>(pointers);
    ASSERT_EQ(
        cublasGemmBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, &one, kept, kDataType<T>, 3,
                               kept, kDataType<T>, 3, &zero, reinterpret_cast<void**>(c.pointers()),
                               kDataType<T>, 3, 2, kComputeType<T>, CUBLAS_GEMM_DEFAULT),
        CUBLAS_STATUS_SUCCESS);
    blas.wait();
    expect_complaint("A (16 bytes) is not memory of device 0");
    // Freed between the call and its run.
    auto freed = std::make_unique<TestMatrices<T>>(Layout::of(3, 3, 2), 3);
    ASSERT_EQ(product.run(blas, *freed, a, c), CUBLAS_STATUS_SUCCESS);
    freed.reset();
    blas.wait();
    EXPECT_FALSE(take_complaints().empty());
    c.fetch().expect_only_changed(c, [](auto, auto) { return false; });
}

TYPED_TEST(SimulatedBlas, ScalarsAreReadByTheCallAndPointersWhenItRuns) {
    using T = TypeParam;
    reset({1, std::size_t{1} << 30, CUDART_VERSION}, {1, 0});
    const TestBlas blas;
    TestMatrices<T> a(Layout::of(2, 2, 2), 1);
    TestMatrices<T> c(Layout::of(2, 2, 2), 2);
    const DeviceArray<T*> late(2);
    const PinnedArray<T*> pointers(2);
    pointers[0] = a.base();
    pointers[1] = a.base() + 4;
    ASSERT_EQ(cudaMemcpyAsync(late.data(), pointers.data(), 2 * sizeof(T*), cudaMemcpyHostToDevice,
                              blas.stream()),
              cudaSuccess);
    Product<T> product{CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, T(3), T(0), true};
    T alpha = 3;
    T beta = 0;
    ASSERT_EQ(cublasGemmBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &alpha,
                                     reinterpret_cast<void**>(late.data()), kDataType<T>, 2,
                                     reinterpret_cast<void**>(late.data()), kDataType<T>, 2, &beta,
                                     reinterpret_cast<void**>(c.pointers()), kDataType<T>, 2, 2,
                                     kComputeType<T>, CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    alpha = beta = std::numeric_limits<T>::quiet_NaN();
    blas.wait();
    TestMatrices<T> after = c.fetch();
    product.check(a, a, c, after);
    expect_no_complaints();
}

TEST(SimulatedBlasTf32, IsUsedWhenAskedForAndOnlyThen) {
    reset();
    const TestBlas blas;
    // 1 + 2^-12 has a bit that TF32 cannot hold.
    const float fine = 1.0f + 0x1p-12f;
    TestMatrices<float> a(Layout::of(1, 1, 1), 1);
    TestMatrices<float> c(Layout::of(1, 1, 1), 2);
    TestMatrices<float> one(Layout::of(1, 1, 1), 3);
    a.fill(fine);
    one.fill(1);
    const auto multiply = [&](cublasComputeType_t compute) {
        const float alpha = 1;
        const float beta = 0;
        EXPECT_EQ(cublasGemmStridedBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha,
                                                a.base(), CUDA_R_32F, 1, 1, one.base(), CUDA_R_32F,
                                                1, 1, &beta, c.base(), CUDA_R_32F, 1, 1, 1, compute,
                                                CUBLAS_GEMM_DEFAULT),
                  CUBLAS_STATUS_SUCCESS);
        blas.wait();
        return c.fetch().at(0, 0, 0);
    };
    EXPECT_EQ(multiply(CUBLAS_COMPUTE_32F), fine);
    EXPECT_EQ(multiply(CUBLAS_COMPUTE_32F_FAST_TF32), 1.0f);
    ASSERT_EQ(cublasSetMathMode(blas, CUBLAS_TF32_TENSOR_OP_MATH), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(multiply(CUBLAS_COMPUTE_32F), 1.0f);
    EXPECT_EQ(multiply(CUBLAS_COMPUTE_32F_PEDANTIC), fine);
    ASSERT_EQ(cublasSetMathMode(blas, CUBLAS_DEFAULT_MATH), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(multiply(CUBLAS_COMPUTE_32F), fine);
}

}  // namespace
}  // namespace matgrad::simulated
