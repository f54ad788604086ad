// The promise of `robust`: the error of a Gram pipeline in float grows with cond(X), not with its
// square. Measured against a singular value decomposition in long double.

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
using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kCols = 16;
constexpr std::int64_t kBatch = 20;

/// 64-by-16 float matrix with singular values spread evenly in their logarithm from 1 to 1/cond.
FloatRows matrix_of_condition(double cond, std::uint64_t seed) {
    const Eigen::MatrixXd u = random_value(Structure::orthogonal, kRows, kCols, seed);
    const Eigen::MatrixXd v = random_value(Structure::orthogonal, kCols, kCols, seed + 500);
    Eigen::VectorXd s(kCols);
    for (Eigen::Index i = 0; i < kCols; ++i) {
        s(i) = std::pow(cond, -static_cast<double>(i) / (kCols - 1));
    }
    return (u * s.asDiagonal() * v.transpose()).cast<float>();
}

struct Exact {
    long double value;    ///< log det X'X
    LongMatrix gradient;  ///< 2 X (X'X)^-1 = 2 U S^-1 V'
    double cond;          ///< of the rounded matrix
};

Exact exact(const FloatRows& x) {
    const Eigen::JacobiSVD<LongMatrix> svd(x.cast<long double>(),
                                           Eigen::ComputeThinU | Eigen::ComputeThinV);
    const auto& s = svd.singularValues();
    const LongMatrix gradient =
        2 * svd.matrixU() * s.cwiseInverse().asDiagonal() * svd.matrixV().transpose();
    return {2 * s.array().log().sum(), gradient, static_cast<double>(s(0) / s(kCols - 1))};
}

class Accuracy64x16 : public testing::TestWithParam<double> {};

TEST_P(Accuracy64x16, RobustFloatErrorIsBoundedByCondition) {
    std::vector<float> data;
    std::vector<Exact> truth;
    for (std::int64_t b = 0; b < kBatch; ++b) {
        const FloatRows x = matrix_of_condition(GetParam(), static_cast<std::uint64_t>(b) + 1);
        data.insert(data.end(), x.data(), x.data() + x.size());
        truth.push_back(exact(x));
    }
    PlanOptions options;
    options.type = ScalarType::float32;
    options.wrt = {"X"};
    options.device = test_device().device;
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", kRows, kCols)}, options);
    std::vector<float> value(kBatch);
    std::vector<float> gradient(data.size());
    std::vector<std::int32_t> status(kBatch, -1);
    plan.run({data}, {value, gradient}, status);
    for (std::size_t b = 0; b < truth.size(); ++b) {
        const Exact& e = truth[b];
        EXPECT_EQ(status[b], 0);
        const double bound = 20 * double{std::numeric_limits<float>::epsilon()} * e.cond;
        const Eigen::Map<const FloatRows> ours(gradient.data() + b * kRows * kCols, kRows, kCols);
        const long double error = (ours.cast<long double>() - e.gradient).norm();
        EXPECT_LE(static_cast<double>(error / e.gradient.norm()), bound) << "problem " << b;
        EXPECT_LE(static_cast<double>(std::abs(static_cast<long double>(value[b]) - e.value)),
                  bound * static_cast<double>(std::abs(e.value)))
            << "problem " << b;
    }
}

INSTANTIATE_TEST_SUITE_P(Condition, Accuracy64x16, testing::Values(1e1, 1e2, 1e3, 1e4, 1e5));

}  // namespace
}  // namespace matgrad
