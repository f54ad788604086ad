// det where the matrix is singular: its gradient is the matrix of cofactors, here from minors in long double.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

using LongMatrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
template <typename T>
using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

long double determinant(const LongMatrix& a) {
    return a.rows() == 0 ? 1 : a.fullPivLu().determinant();
}

LongMatrix cofactors(const LongMatrix& a) {
    const Eigen::Index n = a.rows();
    LongMatrix result(n, n);
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index j = 0; j < n; ++j) {
            LongMatrix minor(n - 1, n - 1);
            for (Eigen::Index r = 0; r < n - 1; ++r) {
                for (Eigen::Index c = 0; c < n - 1; ++c) {
                    minor(r, c) = a(r + (r >= i ? 1 : 0), c + (c >= j ? 1 : 0));
                }
            }
            result(i, j) = ((i + j) % 2 == 0 ? 1 : -1) * determinant(minor);
        }
    }
    return result;
}

/// Whole numbers, of rank `rank`: the last columns repeat the first.
Rows<double> matrix_of_rank(int n, int rank, std::uint64_t seed) {
    const std::vector<double> numbers = test::random_numbers(std::int64_t{n} * n, seed);
    Rows<double> a(n, n);
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
            a(i, j) = std::round(4 * numbers[static_cast<std::size_t>(i * n + j)]);
        }
    }
    for (int j = rank; j < n; ++j) {
        a.col(j) = j - rank < rank ? Rows<double>(a.col(j - rank)) : Rows<double>::Zero(n, 1);
    }
    return a;
}

template <typename T>
struct Answer {
    std::vector<T> value, gradient;
    std::vector<std::int32_t> status;
};

template <typename T>
Answer<T> answer(const std::string& f, const std::string& declaration, const std::vector<T>& x,
                 std::int64_t rows, std::int64_t cols) {
    const PlanOptions options{.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64,
                              .wrt = {"X"}};
    const Plan plan = make_plan(parse(f, {declaration}), {batched("X", rows, cols)}, options);
    const std::size_t problems = x.size() / static_cast<std::size_t>(rows * cols);
    Answer<T> a{std::vector<T>(problems), std::vector<T>(x.size()),
                std::vector<std::int32_t>(problems, -1)};
    plan.run({x}, {a.value, a.gradient}, a.status);
    return a;
}

template <typename T>
void check_ranks() {
    for (const int n : {2, 3, 5, 12, 19}) {
        for (int missing = 0; missing < std::min(n, 3); ++missing) {
            SCOPED_TRACE(testing::Message() << n << " less " << missing);
            std::vector<T> x;
            std::vector<Rows<double>> matrices;
            for (std::uint64_t b = 0; b < 3; ++b) {
                matrices.push_back(matrix_of_rank(n, n - missing, 10 * b + 3));
                for (const double entry : matrices.back().reshaped<Eigen::RowMajor>()) {
                    x.push_back(static_cast<T>(entry));
                }
            }
            const Answer<T> found = answer("1e-3*det(X)", "X=n,n", x, n, n);
            for (std::size_t b = 0; b < matrices.size(); ++b) {
                ASSERT_EQ(found.status[b], 0);
                const LongMatrix exact = 1e-3L * cofactors(matrices[b].cast<long double>());
                const Eigen::Map<const Rows<T>> gradient(
                    found.gradient.data() + b * static_cast<std::size_t>(n * n), n, n);
                // n! terms at most; of rank n - 2 all cofactors are 0, but for roundings of terms this large.
                const long double size =
                    std::max(exact.norm(), 1e-3L * std::pow(matrices[b].norm(), n - 1) /
                                               std::pow(static_cast<long double>(n), n / 2.0L));
                const auto error = static_cast<double>(
                    (gradient.template cast<long double>() - exact).norm() / size);
                EXPECT_LE(error, 40 * n * double{std::numeric_limits<T>::epsilon()});
            }
        }
    }
}

TEST(Determinant, OfASingularMatrixHasItsCofactorsAsGradient) {
    check_ranks<double>();
    check_ranks<float>();
}

TEST(Determinant, OfRankTwoLessHasNoGradientAtAll) {
    const Answer<double> zero = answer<double>("det(X)", "X=n,n", std::vector<double>(9, 0), 3, 3);
    EXPECT_EQ(zero.value[0], 0);
    EXPECT_EQ(zero.gradient, std::vector<double>(9, 0));
}

TEST(Determinant, OfDeclaredStructuresHasCofactorsToo) {
    const std::vector<double> lower{2, 0, 0, 7, 0, 0, 1, 1, 3};  // the second pivot is 0
    const Answer<double> of_lower = answer<double>("det(X)", "X=n,n:lower", lower, 3, 3);
    EXPECT_EQ(of_lower.value[0], 0);
    // Minors of what may change, the lower triangle: all but (1,1) have the row or column of the zero.
    const double expected[] = {0, 0, 0, 0, 6, 0, 0, 0, 0};
    for (int i = 0; i < 9; ++i) {
        EXPECT_NEAR(of_lower.gradient[static_cast<std::size_t>(i)], expected[i], 1e-13) << i;
    }
    const Answer<double> of_diagonal =
        answer<double>("det(X)", "X=n,n:diag", {2, 0, 0, 0, 0, 0, 0, 0, 3}, 3, 3);
    EXPECT_EQ(of_diagonal.gradient, (std::vector<double>{0, 0, 0, 0, 6, 0, 0, 0, 0}));
    const Answer<double> of_product =
        answer<double>("det(diag(X))", "X=n", {2, 0, 3, 2, 5, 3, 0, 0, 3}, 3, 1);
    EXPECT_EQ(of_product.gradient, (std::vector<double>{0, 6, 0, 15, 6, 10, 0, 0, 0}));
}

TEST(Determinant, WithinLargerFunctionsMayBeSingular) {
    const std::vector<double> x{1, 2, 2, 4};
    // d(tr(X*X)*det(X)) = tr(X*X)*cofactors + 2*det(X)*X', with tr(X*X) = 25.
    const auto expect_gradient = [&](const std::string& f, const std::vector<double>& expected) {
        const Answer<double> found = answer<double>(f, "X=n,n", x, 2, 2);
        EXPECT_EQ(found.status[0], 0) << f;
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_NEAR(found.gradient[i], expected[i], 1e-13) << f << ", entry " << i;
        }
    };
    expect_gradient("tr(X*X)*det(X)", {100, -50, -50, 25});
    expect_gradient("exp(det(X))", {4, -2, -2, 1});
    expect_gradient("det(X*X) + det(X')", {4, -2, -2, 1});
    // What needs the inverse itself fails.
    EXPECT_EQ(answer<double>("det(X) + tr(inv(X))", "X=n,n", x, 2, 2).status[0],
              make_status(StatusKind::singular, 2));
}

}  // namespace
}  // namespace matgrad
