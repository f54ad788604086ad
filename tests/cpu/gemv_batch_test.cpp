/// Matrix-vector products of many small problems against their definition, in every instruction set.
///
/// Bound: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., (3.5).

#include "cpu/plain/gemv_batch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace matgrad::test {
namespace {

template <typename T>
std::vector<T> numbers(std::int64_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<T> number(-1, 1);
    std::vector<T> v(static_cast<std::size_t>(count));
    for (T& x : v) {
        x = number(random);
    }
    return v;
}

struct Case {
    std::int64_t rows, cols;
    bool transposed, x_shared;
    double alpha, beta;
};

template <typename T>
void check(const Case& c) {
    SCOPED_TRACE(testing::Message()
                 << c.rows << " x " << c.cols << " transposed " << c.transposed << " shared "
                 << c.x_shared << " beta " << c.beta << " bytes " << sizeof(T));
    constexpr std::int64_t kProblems = 3;
    constexpr T kGuard = 77;
    const std::int64_t in = c.transposed ? c.rows : c.cols;
    const std::int64_t out = c.transposed ? c.cols : c.rows;
    const std::vector<T> a = numbers<T>(kProblems * c.rows * c.cols, 1);
    const std::vector<T> x = numbers<T>(kProblems * in, 2);
    std::vector<T> y = numbers<T>(kProblems * out, 3);
    const std::vector<T> before = y;
    y.resize(y.size() + 32, kGuard);
    const ScalarType type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
    detail::GemvBatch call;
    call.alpha = c.alpha;
    call.beta = c.beta;
    call.a = detail::row_major(reinterpret_cast<std::byte*>(const_cast<T*>(a.data())), type, c.rows,
                               c.cols, 1);
    call.transposed = c.transposed;
    call.x = reinterpret_cast<const std::byte*>(x.data());
    call.y = reinterpret_cast<std::byte*>(y.data());
    const auto bytes = static_cast<std::int64_t>(sizeof(T));
    call.a_step = c.rows * c.cols * bytes;
    call.x_step = c.x_shared ? 0 : in * bytes;
    call.y_step = out * bytes;
    call.a_ahead = c.beta != 0;  // changes no number
    detail::gemv_batch(call, kProblems);
    for (std::size_t i = before.size(); i < y.size(); ++i) {
        ASSERT_EQ(y[i], kGuard);
    }
    const long double unit = sizeof(T) == 4 ? 0x1p-24L : 0x1p-53L;
    for (std::int64_t p = 0; p < kProblems; ++p) {
        for (std::int64_t i = 0; i < out; ++i) {
            long double sum = 0;
            long double size = 0;
            for (std::int64_t k = 0; k < in; ++k) {
                const std::int64_t entry = c.transposed ? k * c.cols + i : i * c.cols + k;
                const long double term =
                    static_cast<long double>(
                        a[static_cast<std::size_t>(p * c.rows * c.cols + entry)]) *
                    x[static_cast<std::size_t>((c.x_shared ? 0 : p * in) + k)];
                sum += term;
                size += std::abs(term);
            }
            const auto place = static_cast<std::size_t>(p * out + i);
            const long double added = c.beta == 0 ? 0 : c.beta * before[place];
            const long double exact = c.alpha * sum + added;
            const long double bound = static_cast<long double>(in + 3) * unit *
                                      (std::abs(c.alpha) * size + std::abs(added));
            ASSERT_LE(std::abs(y[place] - exact), bound) << p << " " << i;
        }
    }
}

TEST(GemvBatch, KeepsItsBoundForEveryShape) {
    for (const std::int64_t rows : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64}) {
        for (const std::int64_t cols : {1, 2, 5, 8, 12, 16, 17, 32, 40, 65}) {
            for (const bool transposed : {false, true}) {
                for (const double beta : {0., -0.5}) {
                    check<float>({rows, cols, transposed, rows == 7, 2, beta});
                    check<double>({rows, cols, transposed, rows == 7, 2, beta});
                }
            }
        }
    }
}

TEST(GemvBatch, IsForWhatTheFirstLevelCacheHolds) {
    EXPECT_TRUE(detail::is_batch_gemv(64, 16, ScalarType::float64));
    EXPECT_FALSE(detail::is_batch_gemv(300, 300, ScalarType::float32));
}

}  // namespace
}  // namespace matgrad::test
