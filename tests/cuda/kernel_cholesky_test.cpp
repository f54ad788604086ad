// The Cholesky kernel of our own, against a factorization by the definition in long double.

#include <cmath>
#include <limits>

#include "cholesky.hpp"
#include "cuda/kernel_bench.hpp"

namespace matgrad::test {
namespace {

class CholeskyKernel : public OnSimulatedGpu {
protected:
    static gpu::Matrices matrices(const gpu::DeviceView& v) {
        return {v.data,       v.type == kDouble, v.rows,        v.cols,
                v.row_stride, v.col_stride,      v.batch_stride};
    }
    static long double shift_of(std::int64_t n) { return 2.0L * static_cast<long double>(n); }
};

/// Row by row: entry (r, c) from those to its left.
std::vector<long double> factor_of(const Matrices& a, std::int64_t p) {
    const std::int64_t n = a.rows();
    std::vector<long double> l(static_cast<std::size_t>(n * n));
    const auto at = [&](std::int64_t r, std::int64_t c) -> long double& {
        return l[static_cast<std::size_t>(r * n + c)];
    };
    for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t c = 0; c <= r; ++c) {
            long double sum = a.get(p, r, c);
            for (std::int64_t k = 0; k < c; ++k) {
                sum -= at(r, k) * at(c, k);
            }
            at(r, c) = r == c ? std::sqrt(sum) : sum / at(c, c);
        }
    }
    return l;
}

TEST_F(CholeskyKernel, FactorsPastEveryEdgeOfATileInEveryLayout) {
    for (const ScalarType type : kTypes) {
        const double eps = type == kDouble ? std::numeric_limits<double>::epsilon()
                                           : std::numeric_limits<float>::epsilon();
        for (const std::int64_t n : {1, 2, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100}) {
            for (const Order order : kOrders) {
                if (n > 33 && order != Order::rows && order != Order::columns) {
                    continue;
                }
                SCOPED_TRACE(testing::Message() << n << " " << static_cast<int>(order));
                OnDevice a(type, 3, n, n, order);
                a.host.fill_random(static_cast<std::uint32_t>(n));
                for (std::int64_t p = 0; p < 3; ++p) {
                    for (std::int64_t r = 0; r < n; ++r) {
                        a.host.set(p, r, r, static_cast<double>(shift_of(n)));
                    }
                }
                const Matrices before = a.host;
                gpu::factor_cholesky(matrices(a.upload()), 3, stream());
                (void)finish();
                a.download();
                for (std::int64_t p = 0; p < 3; ++p) {
                    const std::vector<long double> want = factor_of(before, p);
                    for (std::int64_t r = 0; r < n; ++r) {
                        for (std::int64_t c = 0; c < n; ++c) {
                            const double got = a.host.get(p, r, c);
                            if (c > r) {
                                ASSERT_EQ(got, before.get(p, r, c)) << "above the diagonal";
                            } else {
                                // Of a diagonally dominant matrix; Higham, Accuracy and Stability, 10.1.
                                const double bound = static_cast<double>(n + 4) * eps *
                                                     std::sqrt(static_cast<double>(shift_of(n)));
                                ASSERT_NEAR(
                                    got,
                                    static_cast<double>(want[static_cast<std::size_t>(r * n + c)]),
                                    bound)
                                    << p << ": " << r << ", " << c;
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST_F(CholeskyKernel, LeavesAPivotThatIsNotPositiveToBeSeenAndNeighboursAlone) {
    for (const ScalarType type : kTypes) {
        for (const std::int64_t n : {5, 16, 33, 70}) {
            for (const double bad :
                 {-1.0, 0.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
                for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
                    SCOPED_TRACE(testing::Message() << n << " " << bad << " at " << at);
                    OnDevice a(type, 3, n, n);
                    for (std::int64_t p = 0; p < 3; ++p) {
                        for (std::int64_t r = 0; r < n; ++r) {
                            for (std::int64_t c = 0; c < n; ++c) {
                                a.host.set(p, r, c, r == c ? 4 : 0);
                            }
                        }
                    }
                    a.host.set(1, at, at, bad);
                    gpu::factor_cholesky(matrices(a.upload()), 3, stream());
                    (void)finish();
                    a.download();
                    for (std::int64_t k = 0; k < n; ++k) {
                        ASSERT_EQ(a.host.get(0, k, k), 2);
                        ASSERT_EQ(a.host.get(2, k, k), 2);
                    }
                    for (std::int64_t k = 0; k < at; ++k) {
                        ASSERT_EQ(a.host.get(1, k, k), 2);
                    }
                    const double pivot = a.host.get(1, at, at);
                    EXPECT_FALSE(pivot > 0 && std::isfinite(pivot)) << pivot;
                    EXPECT_EQ(std::isfinite(pivot), std::isfinite(bad)) << pivot;
                }
            }
        }
    }
}

TEST_F(CholeskyKernel, OfNothingLaunchesNothing) {
    OnDevice a(kDouble, 2, 3, 3);
    gpu::Matrices some = matrices(a.upload());
    gpu::factor_cholesky(some, 0, stream());
    some.rows = some.cols = 0;
    gpu::factor_cholesky(some, 2, stream());
    EXPECT_TRUE(finish().empty());
    gpu::load_cholesky_kernels();
}

}  // namespace
}  // namespace matgrad::test
