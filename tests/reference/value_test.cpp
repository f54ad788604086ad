// Values of every operation: by hand on small matrices, or by a formula that takes another road.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/node_builder.hpp"
#include "reference/random_problem.hpp"

namespace matgrad::reference_test {
namespace {

using Eigen::MatrixXd;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEps = std::numeric_limits<double>::epsilon();

MatrixXd matrix(int rows, int cols, std::initializer_list<double> row_major) {
    MatrixXd result(rows, cols);
    auto entry = row_major.begin();
    for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < cols; ++j) {
            result(i, j) = *entry++;
        }
    }
    return result;
}

MatrixXd column(std::initializer_list<double> entries) {
    return matrix(static_cast<int>(entries.size()), 1, entries);
}

const Expr kA = leaf("A", kM, kN);
const Expr kB = leaf("B", kM, kN);
const Expr kS = leaf("S", kN, kN);
const Expr kV = leaf("v", kN, kOne);
const Expr kT = leaf("t", kOne, kOne);

const MatrixXd kAValue = matrix(2, 3, {1, -2, 3, 4, 0, -6});
const MatrixXd kBValue = matrix(2, 3, {2, 5, -1, 0, 7, 1});
const MatrixXd kSValue = matrix(2, 2, {4, 7, 2, 6});  // determinant 10

double of_a(Op op) {
    return evaluate_reference(to_scalar(op, kA), {{"A", kAValue}})(0, 0);
}
double of_s(Op op) {
    return evaluate_reference(to_scalar(op, kS), {{"S", kSValue}})(0, 0);
}
double of_v(Op op, const MatrixXd& v) {
    return evaluate_reference(to_scalar(op, kV), {{"v", v}})(0, 0);
}
double of_t(Op op, double t) {
    return evaluate_reference(entrywise(op, kT), {{"t", matrix(1, 1, {t})}})(0, 0);
}

TEST(ReferenceValue, OfLeaves) {
    EXPECT_EQ(evaluate_reference(number_node(-2.5), {}), matrix(1, 1, {-2.5}));
    EXPECT_EQ(evaluate_reference(kA, {{"A", kAValue}}), kAValue);
    EXPECT_EQ(evaluate_reference(make(Op::eye, {kN, kN}, {}), {}, {{"n", 2}}),
              matrix(2, 2, {1, 0, 0, 1}));
    EXPECT_EQ(evaluate_reference(make(Op::ones, {kM, Dim::literal(2)}, {}), {}, {{"m", 3}}),
              matrix(3, 2, {1, 1, 1, 1, 1, 1}));
}

TEST(ReferenceValue, OfASumAddsEveryTerm) {
    const Expr e = make(Op::add, kA->shape, {kA, kB, kA});
    EXPECT_EQ(evaluate_reference(e, {{"A", kAValue}, {"B", kBValue}}),
              matrix(2, 3, {4, 1, 5, 8, 7, -11}));
}

TEST(ReferenceValue, OfAProductTakesNumberScalarsAndMatricesInOrder) {
    const MatrixMap values{{"A", kAValue}, {"B", kBValue}, {"t", matrix(1, 1, {3})}};
    // 2 * t * A * B' with A B' = [[1*2-2*5-3, -14+3], [8+6, -6]].
    const Expr e = product(2, {kT}, {kA, transposed(kB)});
    EXPECT_EQ(evaluate_reference(e, values), matrix(2, 2, {-66, -66, 84, -36}));
    EXPECT_EQ(evaluate_reference(product(2, {kT, kT}, {}), values), matrix(1, 1, {18}));
    EXPECT_EQ(evaluate_reference(product(-1, {}, {kA}), values), -kAValue);
}

TEST(ReferenceValue, OfAProductWithEmptyInnerDimensionIsZero) {
    const Expr e = product(2, {}, {transposed(kA), kB});
    EXPECT_EQ(evaluate_reference(e, {{"A", MatrixXd(0, 3)}, {"B", MatrixXd(0, 3)}}),
              MatrixXd(MatrixXd::Zero(3, 3)));
}

TEST(ReferenceValue, OfAnEntrywiseProductAndPower) {
    const Expr e = make(Op::hadamard, kA->shape, {kA, kB});
    EXPECT_EQ(evaluate_reference(e, {{"A", kAValue}, {"B", kBValue}}),
              matrix(2, 3, {2, -10, -3, 0, 0, -6}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::power, kA, 2), {{"A", kAValue}}),
              matrix(2, 3, {1, 4, 9, 16, 0, 36}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::power, kT, -1), {{"t", matrix(1, 1, {4})}}),
              matrix(1, 1, {0.25}));
}

TEST(ReferenceValue, OfTransposeAndTriangles) {
    EXPECT_EQ(evaluate_reference(transposed(kA), {{"A", kAValue}}),
              matrix(3, 2, {1, 4, -2, 0, 3, -6}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::tril, kA), {{"A", kAValue}}),
              matrix(2, 3, {1, 0, 0, 4, 0, 0}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::triu, kA), {{"A", kAValue}}),
              matrix(2, 3, {1, -2, 3, 0, 0, -6}));
}

TEST(ReferenceValue, OfLargestEntriesTakesTheFirst) {
    const MatrixXd a = matrix(2, 3, {1, 5, 5, -2, -2, -3});
    EXPECT_EQ(evaluate_reference(make(Op::row_max, {kM, kOne}, {kA}), {{"A", a}}),
              matrix(2, 1, {5, -2}));
    EXPECT_EQ(evaluate_reference(make(Op::col_max, {kOne, kN}, {kA}), {{"A", a}}),
              matrix(1, 3, {1, 5, 5}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::is_row_max, kA), {{"A", a}}),
              matrix(2, 3, {0, 1, 0, 1, 0, 0}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::is_col_max, kA), {{"A", a}}),
              matrix(2, 3, {1, 1, 1, 0, 0, 0}));
}

TEST(ReferenceValue, OfACholeskyFactor) {
    const MatrixXd s = matrix(2, 2, {4, 99, 6, 10});  // the lower triangle is read
    EXPECT_EQ(evaluate_reference(entrywise(Op::cholesky, kS), {{"S", s}}),
              matrix(2, 2, {2, 0, 3, 1}));
    EXPECT_TRUE(std::isnan(evaluate_reference(entrywise(Op::cholesky, kS),
                                              {{"S", matrix(2, 2, {1, 2, 2, 1})}})(0, 0)));
}

TEST(ReferenceValue, OfPartsIgnoresAllOtherEntries) {
    const MatrixXd a = matrix(2, 3, {std::nan(""), 2, 3, 4, 5, 6});
    const Expr second = make(Op::unit_columns, {kN, Dim::literal(2)}, {}, 2);
    EXPECT_EQ(evaluate_reference(product(1, {}, {kA, second}), {{"A", a}}),
              matrix(2, 2, {2, 3, 5, 6}));
    const Expr first_row = make(Op::unit_columns, {kM, kOne}, {}, 2);
    EXPECT_EQ(evaluate_reference(product(1, {}, {transposed(first_row), kA}), {{"A", a}}),
              matrix(1, 3, {4, 5, 6}));
    const Expr outside = make(Op::unit_columns, {kN, Dim::literal(2)}, {}, 3);
    EXPECT_THROW((void)evaluate_reference(product(1, {}, {kA, outside}), {{"A", a}}), ShapeError);
}

TEST(ReferenceValue, OfTheInverseOfTwoByTwo) {
    const MatrixXd expected = matrix(2, 2, {0.6, -0.7, -0.2, 0.4});
    const MatrixXd actual = evaluate_reference(entrywise(Op::inverse, kS), {{"S", kSValue}});
    // cond_1(S) = 13 * 1.1 = 14.3: the forward error of an LU inverse is c*n*eps*cond.
    EXPECT_LE((actual - expected).cwiseAbs().maxCoeff(), 4 * 2 * kEps * 14.3);
}

TEST(ReferenceValue, OfDeterminants) {
    EXPECT_NEAR(of_s(Op::det), 10, 4 * 10 * kEps);
    EXPECT_NEAR(of_s(Op::logdet), std::log(10), 4 * kEps * 3);
    // Rows exchanged: the determinant turns negative, its logarithm of the absolute value stays.
    const MatrixMap exchanged{{"S", matrix(2, 2, {2, 6, 4, 7})}};
    EXPECT_NEAR(evaluate_reference(to_scalar(Op::det, kS), exchanged)(0, 0), -10, 40 * kEps);
    EXPECT_NEAR(evaluate_reference(to_scalar(Op::logdet, kS), exchanged)(0, 0), std::log(10),
                12 * kEps);
}

TEST(ReferenceValue, OfTheDeterminantOfASingularMatrixIsZero) {
    const MatrixMap singular{{"S", matrix(2, 2, {1, 2, 2, 4})}};
    EXPECT_EQ(evaluate_reference(to_scalar(Op::det, kS), singular)(0, 0), 0);
    EXPECT_EQ(evaluate_reference(to_scalar(Op::logdet, kS), singular)(0, 0), -kInfinity);
}

TEST(ReferenceValue, OfLogDetDoesNotOverflowWhereTheDeterminantWould) {
    const MatrixXd huge = 1e200 * MatrixXd::Identity(5, 5);
    const double expected = 5 * 200 * std::log(10.0);
    EXPECT_NEAR(evaluate_reference(to_scalar(Op::logdet, kS), {{"S", huge}})(0, 0), expected,
                16 * kEps * expected);
}

TEST(ReferenceValue, OfFunctionsToScalars) {
    EXPECT_EQ(of_s(Op::trace), 10);
    EXPECT_EQ(of_a(Op::sum), 0);
    EXPECT_EQ(of_a(Op::norm1), 16);
    EXPECT_EQ(evaluate_reference(make(Op::dot, Shape::scalar(), {kA, kB}),
                                 {{"A", kAValue}, {"B", kBValue}})(0, 0),
              -17);
    EXPECT_NEAR(of_a(Op::norm2), std::sqrt(66.0), 8 * kEps * std::sqrt(66.0));
    EXPECT_NEAR(of_v(Op::logsumexp, column({0, std::log(2), std::log(5)})), std::log(8), 8 * kEps);
}

TEST(ReferenceValue, OfRowAndColumnSumsAndDiagonals) {
    EXPECT_EQ(evaluate_reference(make(Op::row_sum, {kM, kOne}, {kA}), {{"A", kAValue}}),
              column({2, -2}));
    EXPECT_EQ(evaluate_reference(make(Op::col_sum, {kOne, kN}, {kA}), {{"A", kAValue}}),
              matrix(1, 3, {5, -2, -3}));
    EXPECT_EQ(evaluate_reference(make(Op::diag_vector, {kN, kOne}, {kS}), {{"S", kSValue}}),
              column({4, 6}));
    EXPECT_EQ(evaluate_reference(make(Op::diag_matrix, {kN, kN}, {kV}), {{"v", column({3, -1})}}),
              matrix(2, 2, {3, 0, 0, -1}));
}

TEST(ReferenceValue, OfEntrywiseFunctionsAtKnownPoints) {
    EXPECT_EQ(of_t(Op::exp, 0), 1);
    EXPECT_EQ(of_t(Op::log, 1), 0);
    EXPECT_EQ(of_t(Op::sqrt, 9), 3);
    EXPECT_EQ(of_t(Op::abs, -4), 4);
    EXPECT_EQ(of_t(Op::sin, 0), 0);
    EXPECT_EQ(of_t(Op::cos, 0), 1);
    EXPECT_EQ(of_t(Op::sigmoid, 0), 0.5);
    EXPECT_EQ(of_t(Op::relu, -3), 0);
    EXPECT_EQ(of_t(Op::relu, 3), 3);
    EXPECT_NEAR(of_t(Op::softplus, 0), std::log(2), 2 * kEps);
    EXPECT_NEAR(of_t(Op::sin, 1), 0.84147098480789651, 2 * kEps);  // Abramowitz & Stegun, table 4.6
    EXPECT_NEAR(of_t(Op::tanh, 0.5), (M_E - 1) / (M_E + 1), 4 * kEps);
    EXPECT_NEAR(of_t(Op::sigmoid, 1), M_E / (M_E + 1), 4 * kEps);
    EXPECT_NEAR(of_t(Op::tan, M_PI / 4), 1, 4 * kEps);
    EXPECT_NEAR(of_t(Op::atan, 1), M_PI / 4, 2 * kEps);
    EXPECT_NEAR(of_t(Op::log1p, 1), std::log(2), 2 * kEps);
    EXPECT_EQ(of_t(Op::log1p, 1e-20), 1e-20);
    EXPECT_NEAR(of_t(Op::expm1, 1), M_E - 1, 4 * kEps);
    EXPECT_EQ(of_t(Op::expm1, 1e-20), 1e-20);
    EXPECT_NEAR(of_t(Op::cosh, 1), (M_E + 1 / M_E) / 2, 4 * kEps);
    EXPECT_NEAR(of_t(Op::sinh, 1), (M_E - 1 / M_E) / 2, 4 * kEps);
    EXPECT_NEAR(of_t(Op::erf, 0.5), 0.5204998778, 1e-10);  // Abramowitz & Stegun, table 7.1
}

TEST(ReferenceValue, OfTheLargerAndTheSmaller) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto of = [](Op op, double a, double b) {
        const MatrixMap values{{"A", matrix(1, 1, {a})}, {"B", matrix(1, 1, {b})}};
        return evaluate_reference(make(op, {kM, kN}, {kA, kB}), values)(0, 0);
    };
    EXPECT_EQ(of(Op::max, 2, 3), 3);
    EXPECT_EQ(of(Op::max, 3, 2), 3);
    EXPECT_EQ(of(Op::min, 2, 3), 2);
    EXPECT_EQ(of(Op::min, 3, 2), 2);
    for (const Op op : {Op::max, Op::min}) {
        EXPECT_TRUE(std::isnan(of(op, nan, 1)));
        EXPECT_TRUE(std::isnan(of(op, 1, nan)));
    }
}

TEST(ReferenceValue, OfSignAndStepAtZeroIsZero) {
    for (const double zero : {0.0, -0.0}) {
        EXPECT_EQ(of_t(Op::sign, zero), 0);
        EXPECT_EQ(of_t(Op::step, zero), 0);
    }
    EXPECT_EQ(of_t(Op::sign, 2), 1);
    EXPECT_EQ(of_t(Op::sign, -2), -1);
    EXPECT_EQ(of_t(Op::step, 2), 1);
    EXPECT_EQ(of_t(Op::step, -2), 0);
}

TEST(ReferenceValue, OfStableFunctionsDoesNotOverflow) {
    EXPECT_EQ(of_t(Op::softplus, 1e300), 1e300);
    EXPECT_EQ(of_t(Op::softplus, -1e300), 0);
    EXPECT_EQ(of_t(Op::sigmoid, 1e300), 1);
    EXPECT_EQ(of_t(Op::sigmoid, -1e300), 0);
    // exp(-40) is far below eps: softplus(-40) is exp(-40) to all digits, sigmoid likewise.
    EXPECT_NEAR(of_t(Op::softplus, -40), std::exp(-40), 4 * kEps * std::exp(-40));
    EXPECT_NEAR(of_t(Op::sigmoid, -40), std::exp(-40), 4 * kEps * std::exp(-40));
    EXPECT_NEAR(of_v(Op::logsumexp, column({1e4, 1e4})), 1e4 + std::log(2), 2 * 1e4 * kEps);
    EXPECT_NEAR(of_v(Op::logsumexp, column({-1e4, -1e4})), -1e4 + std::log(2), 2 * 1e4 * kEps);
    EXPECT_NEAR(of_v(Op::norm2, column({3e200, 4e200})), 5e200, 4 * kEps * 5e200);
}

TEST(ReferenceValue, OfLogSumExpWithInfiniteEntries) {
    EXPECT_EQ(of_v(Op::logsumexp, column({kInfinity, 1})), kInfinity);
    EXPECT_EQ(of_v(Op::logsumexp, column({-kInfinity, -kInfinity})), -kInfinity);
    EXPECT_EQ(of_v(Op::logsumexp, column({-kInfinity, 1})), 1);
}

TEST(ReferenceValue, PropagatesNaN) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const Op op : {Op::exp, Op::log, Op::sqrt, Op::abs, Op::sign, Op::step, Op::sin, Op::cos,
                        Op::tanh, Op::sigmoid, Op::softplus, Op::relu, Op::tan, Op::atan, Op::log1p,
                        Op::expm1, Op::cosh, Op::sinh, Op::erf}) {
        EXPECT_TRUE(std::isnan(of_t(op, nan))) << function_name(op);
    }
    for (const Op op : {Op::sum, Op::norm1, Op::norm2, Op::logsumexp}) {
        EXPECT_TRUE(std::isnan(of_v(op, column({1, nan, 2})))) << function_name(op);
    }
    const MatrixMap values{{"S", matrix(2, 2, {1, 2, 3, nan})}};
    EXPECT_TRUE(std::isnan(evaluate_reference(to_scalar(Op::det, kS), values)(0, 0)));
    EXPECT_TRUE(std::isnan(evaluate_reference(to_scalar(Op::logdet, kS), values)(0, 0)));
}

TEST(ReferenceValue, OfEmptyMatrices) {
    const MatrixMap values{{"S", MatrixXd(0, 0)}, {"A", MatrixXd(0, 3)}, {"v", MatrixXd(3, 1)}};
    const auto scalar_of = [&](Op op, const Expr& a) {
        return evaluate_reference(to_scalar(op, a), {{a->name, values.at(a->name)}})(0, 0);
    };
    EXPECT_EQ(scalar_of(Op::det, kS), 1);
    EXPECT_EQ(scalar_of(Op::logdet, kS), 0);
    EXPECT_EQ(scalar_of(Op::trace, kS), 0);
    EXPECT_EQ(scalar_of(Op::sum, kA), 0);
    EXPECT_EQ(scalar_of(Op::norm1, kA), 0);
    EXPECT_EQ(scalar_of(Op::norm2, kA), 0);
    EXPECT_EQ(scalar_of(Op::logsumexp, kA), -kInfinity);
    const MatrixMap empty_s{{"S", MatrixXd(0, 0)}};
    const MatrixMap empty_a{{"A", MatrixXd(0, 3)}};
    EXPECT_EQ(evaluate_reference(entrywise(Op::inverse, kS), empty_s).size(), 0);
    EXPECT_EQ(evaluate_reference(make(Op::row_sum, {kM, kOne}, {kA}), empty_a).rows(), 0);
    EXPECT_EQ(evaluate_reference(make(Op::col_sum, {kOne, kN}, {kA}), empty_a),
              matrix(1, 3, {0, 0, 0}));
    EXPECT_EQ(evaluate_reference(entrywise(Op::exp, kA), empty_a).cols(), 3);
    EXPECT_EQ(evaluate_reference(make(Op::diag_vector, {kN, kOne}, {kS}), empty_s).size(), 0);
}

// An independent road to the same number: the singular values, as log det X'X is the sum of the
// logarithms of their squares, and norm2 the root of their sum of squares.
TEST(ReferenceValue, OfACompositeAgreesWithSingularValues) {
    const MatrixXd x = random_value(Structure::general, 12, 5, 7);
    const Eigen::VectorXd s = Eigen::JacobiSVD<MatrixXd>(x).singularValues();
    const Expr gram = product(1, {}, {transposed(kA), kA});
    const double cond = s(0) / s(s.size() - 1);
    const double log_det = evaluate_reference(to_scalar(Op::logdet, gram), {{"A", x}})(0, 0);
    EXPECT_NEAR(log_det, 2 * s.array().log().sum(), 4 * 12 * kEps * cond * cond);
    const double norm = evaluate_reference(to_scalar(Op::norm2, kA), {{"A", x}})(0, 0);
    EXPECT_NEAR(norm, s.norm(), 4 * 12 * kEps * s.norm());
}

TEST(ReferenceValue, OfADeepChainNeedsNoDeepStack) {
    Expr e = kT;
    for (int i = 0; i < 30000; ++i) {
        e = make(Op::add, Shape::scalar(), {e, kT});
    }
    EXPECT_EQ(evaluate_reference(e, {{"t", matrix(1, 1, {1})}})(0, 0), 30001);
    // Destroying a chain of shared pointers would recurse: take it down from the top.
    while (e->op == Op::add) {
        e = Expr(e->children[0]);
    }
}

TEST(ReferenceValue, OfASharedNodeIsComputedOnce) {
    Expr e = kT;
    for (int i = 0; i < 60; ++i) {  // 2^60 paths, 61 nodes
        e = make(Op::add, Shape::scalar(), {e, e});
    }
    EXPECT_EQ(evaluate_reference(e, {{"t", matrix(1, 1, {1})}})(0, 0), std::ldexp(1.0, 60));
}

}  // namespace
}  // namespace matgrad::reference_test
