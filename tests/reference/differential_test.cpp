// The differential of every operation against differences of its own value, extrapolated.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/node_builder.hpp"
#include "reference/random_problem.hpp"

namespace matgrad::reference_test {
namespace {

using Eigen::MatrixXd;

constexpr double kEps = std::numeric_limits<double>::epsilon();

/// A derivative along a direction, and a bound on its error.
struct Difference {
    MatrixXd derivative;
    double bound = 0;
};

MatrixMap moved(const MatrixMap& values, const MatrixMap& directions, double step) {
    MatrixMap result = values;
    for (const auto& [name, direction] : directions) {
        result.at(name) += step * direction;
    }
    return result;
}

// Central differences at h, h/2, h/4, h/8, extrapolated three times (Romberg). The last correction
// bounds the error of the less accurate last-but-one column, so more than that of the result; the
// rounding of the values is divided by the smallest step and amplified at most twice by the
// weights of the extrapolation. `conditioning` multiplies eps where values are less exact.
Difference difference(const Expr& e, const MatrixMap& values, const MatrixMap& directions,
                      double conditioning) {
    constexpr int kLevels = 4;
    const double largest_step = 0x1p-6;
    std::vector<MatrixXd> column;
    double scale = 0;
    for (int level = 0; level < kLevels; ++level) {
        const double h = std::ldexp(largest_step, -level);
        const MatrixXd above = evaluate_reference(e, moved(values, directions, h));
        const MatrixXd below = evaluate_reference(e, moved(values, directions, -h));
        scale = std::max(scale, above.cwiseAbs().maxCoeff());
        column.push_back((above - below) / (2 * h));
    }
    double last_correction = 0;
    double weight = 1;
    for (int order = 1; order < kLevels; ++order) {
        weight *= 4;
        for (std::size_t i = 0; i + 1 < column.size(); ++i) {
            const MatrixXd correction = (column[i + 1] - column[i]) / (weight - 1);
            last_correction = correction.cwiseAbs().maxCoeff();
            column[i] = column[i + 1] + correction;
        }
        column.pop_back();
    }
    const double smallest_step = std::ldexp(largest_step, 1 - kLevels);
    const double rounding = 2 * 16 * kEps * conditioning * std::max(scale, 1.0) / smallest_step;
    return {column.front(), last_correction + rounding};
}

void expect_differential(const char* what, const Expr& e, const MatrixMap& values,
                         const MatrixMap& directions, double conditioning = 1) {
    SCOPED_TRACE(what);
    const Dual dual = evaluate_differential(e, values, directions);
    EXPECT_EQ(dual.value, evaluate_reference(e, values));
    const Difference expected = difference(e, values, directions, conditioning);
    ASSERT_EQ(dual.differential.rows(), expected.derivative.rows());
    ASSERT_EQ(dual.differential.cols(), expected.derivative.cols());
    const double scale = std::max(1.0, expected.derivative.cwiseAbs().maxCoeff());
    ASSERT_LE(expected.bound, 1e-7 * scale) << "the bound itself says too little";
    EXPECT_LE((dual.differential - expected.derivative).cwiseAbs().maxCoeff(), expected.bound);
}

const Expr kA = leaf("A", kM, kN);
const Expr kB = leaf("B", kM, kN);
const Expr kC = leaf("C", kN, kP);
const Expr kS = leaf("S", kN, kN);
const Expr kV = leaf("v", kN, kOne);
const Expr kT = leaf("t", kOne, kOne);
const Expr kU = leaf("u", kOne, kOne);

const std::vector<Declaration> kAll = {
    {"A", {kM, kN}, Structure::general},    {"B", {kM, kN}, Structure::general},
    {"C", {kN, kP}, Structure::general},    {"S", {kN, kN}, Structure::positive},
    {"v", {kN, kOne}, Structure::general},  {"t", {kOne, kOne}, Structure::general},
    {"u", {kOne, kOne}, Structure::general}};

/// Random values with every entry at least 0.5 away from zero, where abs and its like have a kink:
/// no step of the differences (1/64 of a direction below 10) gets there.
struct Point {
    MatrixMap values = random_values(kAll, {{"m", 4}, {"n", 3}, {"p", 2}}, 20250101);
    MatrixMap directions = random_directions(kAll, {{"m", 4}, {"n", 3}, {"p", 2}}, 20250101);

    Point() {
        for (auto& [name, matrix] : values) {
            if (name != "S") {
                matrix = matrix.unaryExpr([](double x) { return x < 0 ? x - 0.5 : x + 0.5; });
            }
        }
        // S well conditioned, but neither it nor its direction symmetric: a transpose forgotten in a
        // rule shows.
        values.at("S")(0, 1) += 0.25;
        directions.at("S") = random_direction(Structure::general, 3, 3, 4);
    }

    [[nodiscard]] MatrixMap only(const std::string& name) const {
        return {{name, directions.at(name)}};
    }
};

TEST(ReferenceDifferential, OfArithmetic) {
    const Point at;
    expect_differential("symbol", kA, at.values, at.directions);
    expect_differential("A + B + A", make(Op::add, {kM, kN}, {kA, kB, kA}), at.values,
                        at.directions);
    expect_differential("-2.5*t*u*A*C", product(-2.5, {kT, kU}, {kA, kC}), at.values,
                        at.directions);
    expect_differential("A*S*S*C", product(1, {}, {kA, kS, kS, kC}), at.values, at.directions, 30);
    expect_differential("3*t*t*u", product(3, {kT, kT, kU}, {}), at.values, at.directions);
    expect_differential("A.*B.*A", make(Op::hadamard, {kM, kN}, {kA, kB, kA}), at.values,
                        at.directions);
    expect_differential("A'", transposed(kA), at.values, at.directions);
    for (const double exponent : {-2.0, -1.0, 1.0, 2.0, 3.0}) {
        expect_differential("A.^k", entrywise(Op::power, kA, exponent), at.values, at.directions,
                            8);
    }
    for (const double exponent : {0.5, -0.5, 1.75}) {
        expect_differential("abs(A).^k", entrywise(Op::power, entrywise(Op::abs, kA), exponent),
                            at.values, at.directions, 8);
    }
}

TEST(ReferenceDifferential, MovesOnlyWhatHasADirection) {
    const Point at;
    const Expr e = product(2, {kT}, {kA, kC});
    for (const char* name : {"t", "A", "C"}) {
        expect_differential(name, e, at.values, at.only(name));
    }
    EXPECT_EQ(evaluate_differential(e, at.values, at.only("B")).differential,
              MatrixXd(MatrixXd::Zero(4, 2)));
    EXPECT_EQ(evaluate_differential(e, at.values, {}).differential, MatrixXd(MatrixXd::Zero(4, 2)));
}

TEST(ReferenceDifferential, OfInverseAndDeterminants) {
    const Point at;
    const Eigen::VectorXd s = Eigen::JacobiSVD<MatrixXd>(at.values.at("S")).singularValues();
    const double cond = s(0) / s(2);
    expect_differential("inv(S)", entrywise(Op::inverse, kS), at.values, at.directions, cond);
    expect_differential("det(S)", to_scalar(Op::det, kS), at.values, at.directions, cond);
    expect_differential("logdet(S)", to_scalar(Op::logdet, kS), at.values, at.directions, cond);
    MatrixMap negative = at.values;
    negative.at("S").row(0) *= -1;  // log|det| is differentiable there, too
    expect_differential("logdet of det < 0", to_scalar(Op::logdet, kS), negative, at.directions,
                        cond);
}

TEST(ReferenceDifferential, OfTheDeterminantHoldsWhereTheMatrixIsSingular) {
    const Point at;
    MatrixMap values = at.values;
    values.at("S").row(2) = 2 * values.at("S").row(0);
    expect_differential("det(S)", to_scalar(Op::det, kS), values, at.directions, 10);
    values.at("S").setZero();  // rank 0: the adjugate of 3-by-3 vanishes, and with it d det
    EXPECT_EQ(
        evaluate_differential(to_scalar(Op::det, kS), values, at.directions).differential(0, 0), 0);
}

TEST(ReferenceDifferential, OfFunctionsToScalars) {
    const Point at;
    for (const Op op : {Op::sum, Op::logsumexp, Op::norm2, Op::norm1}) {
        expect_differential("function of A", to_scalar(op, kA), at.values, at.directions, 12);
    }
    expect_differential("tr(S)", to_scalar(Op::trace, kS), at.values, at.directions);
    const Expr dot = make(Op::dot, Shape::scalar(), {kA, kB});
    expect_differential("dot(A,B)", dot, at.values, at.directions, 12);
    expect_differential("dot(A,B) by A", dot, at.values, at.only("A"), 12);
    expect_differential("dot(A,B) by B", dot, at.values, at.only("B"), 12);
}

TEST(ReferenceDifferential, OfFunctionsToMatrices) {
    const Point at;
    expect_differential("rowsum(A)", make(Op::row_sum, {kM, kOne}, {kA}), at.values, at.directions);
    expect_differential("colsum(A)", make(Op::col_sum, {kOne, kN}, {kA}), at.values, at.directions);
    expect_differential("diag(v)", make(Op::diag_matrix, {kN, kN}, {kV}), at.values, at.directions);
    expect_differential("diag(S)", make(Op::diag_vector, {kN, kOne}, {kS}), at.values,
                        at.directions);
    expect_differential("tril(A)", entrywise(Op::tril, kA), at.values, at.directions);
    expect_differential("triu(A)", entrywise(Op::triu, kA), at.values, at.directions);
    expect_differential("rowmax(A)", make(Op::row_max, {kM, kOne}, {kA}), at.values, at.directions);
    expect_differential("colmax(A)", make(Op::col_max, {kOne, kN}, {kA}), at.values, at.directions);
    expect_differential("isrowmax(A)", entrywise(Op::is_row_max, kA), at.values, at.directions);
    expect_differential("iscolmax(A)", entrywise(Op::is_col_max, kA), at.values, at.directions);
}

TEST(ReferenceDifferential, OfEntrywiseFunctions) {
    const Point at;
    for (const Op op :
         {Op::exp, Op::abs, Op::sign, Op::step, Op::sin, Op::cos, Op::tanh, Op::sigmoid,
          Op::softplus, Op::relu, Op::atan, Op::expm1, Op::cosh, Op::sinh, Op::erf}) {
        expect_differential("f(A)", entrywise(op, kA), at.values, at.directions, 4);
    }
    for (const Op op : {Op::log, Op::sqrt, Op::log1p}) {
        expect_differential("f(abs(A))", entrywise(op, entrywise(Op::abs, kA)), at.values,
                            at.directions, 4);
    }
    expect_differential("tan(sin(A))", entrywise(Op::tan, entrywise(Op::sin, kA)), at.values,
                        at.directions, 4);
    for (const Op op : {Op::asinh, Op::normcdf, Op::lognormcdf, Op::normhazard, Op::normexcess}) {
        expect_differential("f(A)", entrywise(op, kA), at.values, at.directions, 4);
    }
    const Expr beyond_one =
        make(Op::add, {kM, kN}, {entrywise(Op::abs, kA), make(Op::ones, {kM, kN}, {})});
    for (const Op op : {Op::acosh, Op::lgamma, Op::digamma, Op::trigamma}) {
        expect_differential("f(1 + abs(A))", entrywise(op, beyond_one), at.values, at.directions,
                            4);
    }
    expect_differential("atanh(0.9*sin(A))",
                        entrywise(Op::atanh, product(0.9, {}, {entrywise(Op::sin, kA)})), at.values,
                        at.directions, 8);
    for (const Op op : {Op::xlogy, Op::entry_power}) {
        const Expr f = make(op, {kM, kN}, {beyond_one, op == Op::xlogy ? beyond_one : kB});
        expect_differential("f(1 + abs(A),B)", f, at.values, at.directions, 4);
    }
    for (const Op op : {Op::mask, Op::unmask, Op::less, Op::less_equal}) {
        const Expr f = make(op, {kM, kN}, {kA, make(Op::less, {kM, kN}, {kA, kB})});
        expect_differential("f(A, A < B)", f, at.values, at.directions, 4);
    }
    for (const Op op : {Op::max, Op::min}) {
        const Expr f = make(op, {kM, kN}, {kA, kB});
        expect_differential("f(A,B)", f, at.values, at.directions, 4);
        expect_differential("f(A,B) by A", f, at.values, at.only("A"), 4);
        expect_differential("f(A,B) by B", f, at.values, at.only("B"), 4);
    }
}

TEST(ReferenceDifferential, OfAComposite) {
    const Point at;
    // log det(A' A + inv(S)) + t * logsumexp(A v) / norm2(v): many rules at once, shared nodes.
    const Expr gram = product(1, {}, {transposed(kA), kA});
    const Expr matrix = make(Op::add, {kN, kN}, {gram, entrywise(Op::inverse, kS)});
    const Expr quotient = product(1,
                                  {kT, to_scalar(Op::logsumexp, product(1, {}, {kA, kV})),
                                   entrywise(Op::power, to_scalar(Op::norm2, kV), -1)},
                                  {});
    const Expr e = make(Op::add, Shape::scalar(), {to_scalar(Op::logdet, matrix), quotient});
    const Eigen::VectorXd s =
        Eigen::JacobiSVD<MatrixXd>(evaluate_reference(matrix, at.values)).singularValues();
    expect_differential("composite", e, at.values, at.directions, s(0) / s(2));
}

TEST(ReferenceDifferential, IsExactFarFromZeroWhereDifferencesWouldNotBe) {
    const auto slope = [](Op op, double t) {
        return evaluate_differential(entrywise(op, kT), {{"t", MatrixXd::Constant(1, 1, t)}},
                                     {{"t", MatrixXd::Ones(1, 1)}})
            .differential(0, 0);
    };
    EXPECT_NEAR(slope(Op::tanh, 20), 4 * std::exp(-40), 8 * kEps * 4 * std::exp(-40));
    EXPECT_NEAR(slope(Op::sigmoid, 40), std::exp(-40), 8 * kEps * std::exp(-40));
    EXPECT_NEAR(slope(Op::softplus, -40), std::exp(-40), 8 * kEps * std::exp(-40));
    EXPECT_EQ(slope(Op::tanh, 1e4), 0);
    EXPECT_EQ(slope(Op::sigmoid, -1e4), 0);
    EXPECT_EQ(slope(Op::softplus, 1e4), 1);
}

TEST(ReferenceDifferential, AtKinksIsTheStatedChoice) {
    const auto slope = [](Op op) {
        return evaluate_differential(entrywise(op, kT), {{"t", MatrixXd::Zero(1, 1)}},
                                     {{"t", MatrixXd::Ones(1, 1)}})
            .differential(0, 0);
    };
    for (const Op op : {Op::abs, Op::relu, Op::sign, Op::step}) {
        EXPECT_EQ(slope(op), 0) << function_name(op);
    }
    // Where both are equal, the second argument moves max and min.
    const MatrixMap equal{{"A", MatrixXd::Ones(1, 1)}, {"B", MatrixXd::Ones(1, 1)}};
    for (const Op op : {Op::max, Op::min}) {
        const Expr f = make(op, {kM, kN}, {kA, kB});
        const auto slope_by = [&](const std::string& name) {
            return evaluate_differential(f, equal, {{name, MatrixXd::Ones(1, 1)}})
                .differential(0, 0);
        };
        EXPECT_EQ(slope_by("A"), 0) << function_name(op);
        EXPECT_EQ(slope_by("B"), 1) << function_name(op);
    }
}

TEST(ReferenceDifferential, OfNorm2AtZeroIsTheSubgradient0) {
    const MatrixMap zero{{"v", MatrixXd::Zero(3, 1)}};
    const MatrixMap direction{{"v", MatrixXd::Ones(3, 1)}};
    const Dual dual = evaluate_differential(to_scalar(Op::norm2, kV), zero, direction);
    EXPECT_EQ(dual.value(0, 0), 0);
    EXPECT_EQ(dual.differential(0, 0), 0);
    const Expr sum = make(Op::add, Shape::scalar(), {to_scalar(Op::norm2, kV), kT});
    const MatrixMap both{{"v", MatrixXd::Zero(3, 1)}, {"t", MatrixXd::Ones(1, 1)}};
    EXPECT_EQ(evaluate_differential(sum, both, {{"t", MatrixXd::Ones(1, 1)}}).differential(0, 0),
              1);
}

TEST(ReferenceDifferential, OfAPowerAtZero) {
    const auto slope = [](double exponent) {
        return evaluate_differential(entrywise(Op::power, kT, exponent),
                                     {{"t", MatrixXd::Zero(1, 1)}}, {{"t", MatrixXd::Ones(1, 1)}})
            .differential(0, 0);
    };
    EXPECT_EQ(slope(0), 0);
    EXPECT_EQ(slope(1), 1);
    EXPECT_EQ(slope(2), 0);
    EXPECT_TRUE(std::isinf(slope(0.5)));
}

TEST(ReferenceDifferential, OfEmptyMatricesIsZeroOrEmpty) {
    const MatrixMap empty_s{{"S", MatrixXd(0, 0)}};
    for (const Op op :
         {Op::det, Op::logdet, Op::trace, Op::sum, Op::logsumexp, Op::norm1, Op::norm2}) {
        EXPECT_EQ(evaluate_differential(to_scalar(op, kS), empty_s, empty_s).differential,
                  MatrixXd(MatrixXd::Zero(1, 1)))
            << function_name(op);
    }
    EXPECT_EQ(
        evaluate_differential(entrywise(Op::inverse, kS), empty_s, empty_s).differential.size(), 0);
    const MatrixMap tall{{"A", MatrixXd(0, 3)}};
    const Expr gram = product(1, {}, {transposed(kA), kA});
    EXPECT_EQ(evaluate_differential(gram, tall, tall).differential, MatrixXd(MatrixXd::Zero(3, 3)));
}

TEST(ReferenceDifferential, OfAnAtomIsItsValue) {
    const Point at;
    // d(A*C) as the value of an atom is the differential of A*C.
    const Expr inner = product(1, {}, {kA, kC});
    const Expr atom = make(Op::differential, {kM, kP}, {inner});
    const MatrixXd expected =
        at.directions.at("A") * at.values.at("C") + at.values.at("A") * at.directions.at("C");
    const Dual dual = evaluate_differential(atom, at.values, at.directions);
    EXPECT_LE((dual.value - expected).cwiseAbs().maxCoeff(),
              4 * 6 * kEps * expected.cwiseAbs().maxCoeff());
    // A line of a derivation: tr(A' * d(A)), beside factors that move as well.
    const Expr line = to_scalar(
        Op::trace, product(1, {}, {transposed(kA), make(Op::differential, {kM, kN}, {kA})}));
    const double value = evaluate_differential(line, at.values, at.directions).value(0, 0);
    EXPECT_NEAR(value, at.values.at("A").cwiseProduct(at.directions.at("A")).sum(),
                12 * 4 * kEps * at.values.at("A").norm() * at.directions.at("A").norm());
}

TEST(ReferenceDifferential, OfAnAtomAtRestIsZero) {
    const Point at;
    const Expr atom = make(Op::differential, {kM, kN}, {kA});
    EXPECT_EQ(evaluate_differential(atom, at.values, at.only("t")).value,
              MatrixXd(MatrixXd::Zero(4, 3)));
}

TEST(ReferenceDifferential, OfAnExpressionWithAnAtomIsNaN) {
    const Point at;
    const Expr line = to_scalar(Op::sum, make(Op::differential, {kM, kN}, {kA}));
    EXPECT_TRUE(
        std::isnan(evaluate_differential(line, at.values, at.directions).differential(0, 0)));
}

TEST(ReferenceDifferential, RefusesAtomsWithoutMeaning) {
    const Point at;
    const Expr atom = make(Op::differential, {kM, kN}, {kA});
    const Expr twice = make(Op::differential, {kM, kN}, {entrywise(Op::exp, atom)});
    EXPECT_THROW((void)evaluate_differential(twice, at.values, at.directions), UnsupportedError);
    EXPECT_THROW((void)evaluate_reference(atom, at.values), UnsupportedError);
}

}  // namespace
}  // namespace matgrad::reference_test
