// A sum of squares of a product where the product is far smaller than its factors: X close to what A maps to 0. `robust`
// loses |X|*|A|/|X*A'|, `fast` its square, and neither gives a negative value.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "matgrad/matgrad.hpp"
#include "reference/random_problem.hpp"
#include "road/test_device.hpp"

namespace matgrad {
namespace {

using LongMatrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kCols = 16;
constexpr std::int64_t kFactorRows = 32;
constexpr std::int64_t kBatch = 10;

template <typename T>
using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Errors {
    double value = 0;     ///< the largest, relative
    double gradient = 0;  ///< the same in the Frobenius norm
    double least_value = std::numeric_limits<double>::infinity();
    double factor = 0;  ///< the largest |X|*|A|/|X*A'|
};

/// Of 0.5*norm2(X*A')^2 where X*A' is some `size` times |X|*|A|: A has a unit vector that it maps to 0, and the rows of X
/// are multiples of it but for that size.
template <typename T>
Errors errors_at(double size, Accuracy accuracy, bool shared) {
    const Eigen::MatrixXd q = random_value(Structure::orthogonal, kCols, kCols, 5);
    Eigen::MatrixXd spectrum = Eigen::MatrixXd::Identity(kCols, kCols);
    spectrum(0, 0) = 0;
    const auto factor = [&](std::uint64_t seed) {
        return Rows<T>((random_value(Structure::general, kFactorRows, kCols, seed) * q * spectrum *
                        q.transpose())
                           .cast<T>());
    };
    std::vector<T> x_data;
    std::vector<T> a_data;
    for (std::uint64_t b = 0; b < kBatch; ++b) {
        const Eigen::MatrixXd along = random_value(Structure::general, kRows, 1, 100 + b);
        const Eigen::MatrixXd across = random_value(Structure::general, kRows, kCols, 200 + b);
        const Rows<T> x = (along * q.col(0).transpose() + size * across).cast<T>();
        x_data.insert(x_data.end(), x.data(), x.data() + x.size());
        if (b == 0 || !shared) {
            const Rows<T> a = factor(300 + b);
            a_data.insert(a_data.end(), a.data(), a.data() + a.size());
        }
    }
    PlanOptions options;
    options.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
    options.accuracy = accuracy;
    options.wrt = {"X"};
    options.device = test_device().device;
    const Operand a =
        shared ? Operand{"A", kFactorRows, kCols, false} : batched("A", kFactorRows, kCols);
    const Plan plan =
        make_plan(parse("0.5*norm2(X*A')^2"), {batched("X", kRows, kCols), a}, options);
    std::vector<T> value(kBatch);
    std::vector<T> gradient(x_data.size());
    plan.run({x_data, a_data}, {value, gradient});

    Errors errors;
    for (std::int64_t b = 0; b < kBatch; ++b) {
        const Eigen::Map<const Rows<T>> x_b(x_data.data() + b * kRows * kCols, kRows, kCols);
        const Eigen::Map<const Rows<T>> a_b(a_data.data() + (shared ? 0 : b * kFactorRows * kCols),
                                            kFactorRows, kCols);
        const Eigen::Map<const Rows<T>> found(gradient.data() + b * kRows * kCols, kRows, kCols);
        const LongMatrix product =
            x_b.template cast<long double>() * a_b.template cast<long double>().transpose();
        const LongMatrix exact = product * a_b.template cast<long double>();
        const long double f = product.squaredNorm() / 2;
        const auto v = static_cast<long double>(value[static_cast<std::size_t>(b)]);
        const auto largest = [](double& so_far, long double next) {
            so_far = std::max(so_far, static_cast<double>(next));
        };
        largest(errors.value, std::abs(v - f) / f);
        largest(errors.gradient,
                (found.template cast<long double>() - exact).norm() / exact.norm());
        largest(errors.factor, x_b.template cast<long double>().norm() *
                                   a_b.template cast<long double>().norm() / product.norm());
        errors.least_value = std::min(errors.least_value, static_cast<double>(v));
    }
    return errors;
}

/// Holds every size down to that of the roundings of X.
template <typename T>
void expect_errors(Accuracy accuracy, bool shared) {
    constexpr double kEps = std::numeric_limits<T>::epsilon();
    for (double size = 1; size > kEps; size /= 10) {
        SCOPED_TRACE("size " + std::to_string(size));
        const Errors errors = errors_at<T>(size, accuracy, shared);
        const double once = kEps * errors.factor;
        // What is squared twice over has lost once and, near zero, the square of that.
        const double bound =
            accuracy == Accuracy::robust ? 4 * (once + once * once) : 4 * once * errors.factor;
        EXPECT_LE(errors.value, bound);
        EXPECT_LE(errors.gradient, 16 * once);
        EXPECT_GE(errors.least_value, 0);
    }
}

TEST(SquaresOfASmallProduct, RobustLosesItsFactorOnce) {
    for (const bool shared : {false, true}) {
        SCOPED_TRACE(shared ? "A shared" : "A of each problem");
        expect_errors<float>(Accuracy::robust, shared);
        expect_errors<double>(Accuracy::robust, shared);
    }
}

TEST(SquaresOfASmallProduct, FastLosesNoMoreThanItsSquare) {
    for (const bool shared : {false, true}) {
        SCOPED_TRACE(shared ? "A shared" : "A of each problem");
        expect_errors<float>(Accuracy::fast, shared);
        expect_errors<double>(Accuracy::fast, shared);
    }
}

TEST(SquaresOfASmallProduct, FastLosesMoreThanRobustThere) {
    const Errors robust = errors_at<double>(1e-5, Accuracy::robust, true);
    const Errors fast = errors_at<double>(1e-5, Accuracy::fast, true);
    EXPECT_GT(fast.value, 100 * robust.value)
        << "or both are sums of squares, and nothing is tested";
}

}  // namespace
}  // namespace matgrad
