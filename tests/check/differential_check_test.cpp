// The differential check passes what is right and fails what is not, at any condition.

#include "check/differential_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "matgrad/calculus.hpp"
#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

using Eigen::MatrixXd;

const std::map<std::string, std::int64_t> kSizes{{"m", 6}, {"n", 4}};

/// f, its closed form, and data drawn for its symbols.
struct Case {
    Case(const char* text, const std::vector<Declaration>& declared, const char* wrt,
         Convention how = Convention::projected)
        : f(parse(text, declared)),
          variable(wrt),
          convention(how),
          values(random_values(symbols(f), kSizes, 21)),
          gradient(evaluate_reference(differentiate(f, wrt, how), values, kSizes)),
          check(f, ScalarType::float64, Accuracy::robust) {}

    [[nodiscard]] Comparison compare(const MatrixXd& computed, std::uint64_t seed = 5) const {
        return check.gradient(variable, convention, values, computed, seed);
    }

    Expr f;
    std::string variable;
    Convention convention;
    MatrixMap values;
    MatrixXd gradient;
    DifferentialCheck check;
};

std::vector<Declaration> declared(std::initializer_list<const char*> texts) {
    std::vector<Declaration> result;
    for (const char* text : texts) {
        result.push_back(parse_declaration(text));
    }
    return result;
}

void expect_discerning(const Case& c) {
    EXPECT_TRUE(c.compare(c.gradient).passes())
        << c.compare(c.gradient).residual << " > " << c.compare(c.gradient).bound;
    EXPECT_FALSE(c.compare(c.gradient * (1 + 1e-8)).passes());
    EXPECT_FALSE(c.compare(-c.gradient).passes());
    for (Eigen::Index i = 0; i < c.gradient.rows(); ++i) {  // a mistake in one entry shows
        MatrixXd wrong = c.gradient;
        wrong(i, 0) += 1e-7;
        EXPECT_FALSE(c.compare(wrong).passes()) << "entry " << i;
    }
}

TEST(DifferentialCheck, TellsTheGradientFromOneThatIsAlmostRight) {
    expect_discerning({"logdet(X'*X)", declared({"X=m,n"}), "X"});
    expect_discerning({"norm2(A*x - b)^2", declared({"A=m,n", "x=n", "b=m"}), "x"});
    expect_discerning({"sum(exp(X)) + tr(inv(A + X*X'))", declared({"X=m,n", "A=m,m:spd"}), "X"});
}

TEST(DifferentialCheck, KnowsTheStructureOfTheVariable) {
    expect_discerning({"-logdet(P) + tr(S*P)", declared({"P=n,n:spd", "S=n,n"}), "P"});
    expect_discerning({"sum(exp(L))", declared({"L=n,n:lower"}), "L"});
}

TEST(DifferentialCheck, KnowsTheConventionOfFreeEntries) {
    const auto shapes = declared({"P=n,n:sym", "A=n,n"});
    const Case free("tr(A*P*P)", shapes, "P", Convention::free_entries);
    EXPECT_TRUE(free.compare(free.gradient).passes());
    const Case projected("tr(A*P*P)", shapes, "P");
    EXPECT_FALSE(free.compare(projected.gradient).passes());
    EXPECT_FALSE(projected.compare(free.gradient).passes());
}

TEST(DifferentialCheck, OfOneEntryHoldsForEachConventionAndStructure) {
    for (const char* structure : {"P=n,n", "P=n,n:sym", "P=n,n:lower", "P=n,n:diag"}) {
        for (const Convention how : {Convention::projected, Convention::free_entries}) {
            const Case c("tr(A*P*P')", declared({structure, "A=n,n"}), "P", how);
            for (std::int64_t i = 0; i < 4; ++i) {
                for (std::int64_t j = 0; j < 4; ++j) {
                    const double right = c.gradient(i, j);
                    const Comparison found = c.check.entry("P", how, c.values, {i, j}, right);
                    EXPECT_TRUE(found.passes()) << structure << " " << i << "," << j;
                    EXPECT_FALSE(c.check.entry("P", how, c.values, {i, j}, right + 1e-6).passes());
                }
            }
        }
    }
}

TEST(DifferentialCheck, OfTheValueTellsItFromOneThatIsAlmostRight) {
    const Case c("logdet(X'*X)", declared({"X=m,n"}), "X");
    const double value = evaluate_reference(c.f, c.values)(0, 0);
    EXPECT_TRUE(c.check.value(c.values, value).passes());
    EXPECT_FALSE(c.check.value(c.values, value + 1e-8).passes());
}

/// X of 6-by-4 with singular values from 1 down to 1/cond.
MatrixXd matrix_of_condition(double cond) {
    const MatrixXd left = random_value(Structure::orthogonal, 6, 4, 1);
    const MatrixXd right = random_value(Structure::orthogonal, 4, 4, 2);
    Eigen::Vector4d singular;
    for (int i = 0; i < 4; ++i) {
        singular(i) = std::pow(cond, -i / 3.0);
    }
    return left * singular.asDiagonal() * right.transpose();
}

TEST(DifferentialCheck, HasABoundThatGrowsWithTheConditionOfWhatIsFactored) {
    Case c("logdet(X'*X)", declared({"X=m,n"}), "X");
    double last = 0;
    for (const double cond : {1e1, 1e2, 1e3, 1e4}) {
        MatrixXd& x = c.values["X"];
        x = matrix_of_condition(cond);
        // The Gram route, with the error it has to have: about eps * cond^2 relative.
        const MatrixXd gram = x.transpose() * x;
        const MatrixXd gradient = 2 * x * gram.inverse();
        const Comparison found = c.compare(gradient);
        EXPECT_TRUE(found.passes()) << "cond " << cond << ": " << found.residual;
        const double relative = found.bound / gradient.norm();
        EXPECT_GT(relative, 10 * last);
        EXPECT_LT(relative, 1e4 * std::numeric_limits<double>::epsilon() * cond * cond);
        last = relative;
    }
}

TEST(DifferentialCheck, InDoubleOnFactorsAloneIsTighterThanInFloat) {
    Case c("logdet(X'*X)", declared({"X=m,n"}), "X");
    c.values["X"] = matrix_of_condition(1e3);
    const DifferentialCheck robust(c.f, ScalarType::float32, Accuracy::robust);
    const DifferentialCheck fast(c.f, ScalarType::float32, Accuracy::fast);
    const auto bound = [&](const DifferentialCheck& check) {
        return check.gradient("X", Convention::projected, c.values, c.gradient, 5).bound;
    };
    EXPECT_LT(100 * bound(robust), bound(fast));
}

TEST(DifferentialCheck, FailsANumberThatIsNotFiniteWhereTheReferenceIs) {
    const Case c("logdet(X'*X)", declared({"X=m,n"}), "X");
    MatrixXd wrong = c.gradient;
    wrong(2, 1) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(c.compare(wrong).passes());
    EXPECT_FALSE(c.check.value(c.values, std::numeric_limits<double>::infinity()).passes());
}

TEST(DifferentialCheck, PassesNaNWhereTheReferenceHasNoNumberEither) {
    Case c("sqrt(x'*x)", declared({"x=n"}), "x");
    c.values["x"].setZero();  // a root has no gradient at 0
    const MatrixXd nan = MatrixXd::Constant(4, 1, std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(c.compare(nan).passes());
}

TEST(DifferentialCheck, HoldsAtTheSolutionOfLeastSquaresWhereTheResidualIsZero) {
    Case c("norm2(A*x - b)^2 + norm2(A*x)^4", declared({"A=m,n", "x=n", "b=m"}), "x");
    c.values["A"].setZero();
    c.values["b"].setZero();
    const MatrixXd zero = MatrixXd::Zero(4, 1);
    EXPECT_TRUE(c.compare(zero).passes());
    EXPECT_FALSE(c.compare(zero.array() + 1e-7).passes());
}

TEST(DifferentialCheck, KnowsSizesThatNoRemainingSymbolHas) {
    const Case c("sum(ones(m,n)*2 + 0.5*X)", declared({"X=m,n"}), "X");
    expect_discerning(c);
}

TEST(DifferentialCheck, OfAHessianVectorProductIsThatOfTheDirectionalDerivative) {
    const auto shapes = declared({"X=m,n"});
    const Expr f = parse("logdet(X'*X)", shapes);
    MatrixMap values = random_values(symbols(f), kSizes, 31);
    values["V"] = random_direction(Structure::general, 6, 4, 32);
    const DifferentialCheck check(directional_function(differentiate(f, "X"), "V"),
                                  ScalarType::float64, Accuracy::robust);
    const MatrixXd hvp = evaluate_reference(hessian_vector_product(f, "X", "V"), values, kSizes);
    EXPECT_TRUE(check.gradient("X", Convention::projected, values, hvp, 5).passes());
    EXPECT_FALSE(check.gradient("X", Convention::projected, values, hvp * (1 + 1e-7), 5).passes());
}

TEST(DifferentialCheck, AllowsADeterminantNearZeroTheRoundingOfItsTerms) {
    // A product of 6 rows and rank 4: value and gradient are 0, their terms of the size of 1 to 1,000.
    const Case c("det(A*B)", declared({"A=m,n", "B=n,m"}), "A");
    EXPECT_TRUE(c.check.value(c.values, 1e-27).passes());
    EXPECT_FALSE(c.check.value(c.values, 1e-7).passes());
    EXPECT_TRUE(c.compare(MatrixXd::Constant(6, 4, 1e-14)).passes());
    EXPECT_FALSE(c.compare(MatrixXd::Constant(6, 4, 1e-7)).passes());
}

TEST(DifferentialCheck, AllowsASquareNearZeroTheSquareOfARounding) {
    Case c("norm2(A*X - B)^2", declared({"A=m,m", "X=m,n", "B=m,n"}), "X");
    c.values["B"] = c.values["A"] * c.values["X"];
    const DifferentialCheck check(c.f, ScalarType::float32, Accuracy::robust);
    EXPECT_TRUE(check.value(c.values, 1e-12).passes());  // 24 entries, each some 1e-7 off
    EXPECT_FALSE(check.value(c.values, 1e-6).passes());
}

TEST(DifferentialCheck, AllowsFastASumOfSquaresTheRoundingOfItsGramMatrix) {
    Case c("norm2(A*X)^2", declared({"A=m,m", "X=m,n"}), "X");
    c.values["A"] = MatrixXd::Identity(6, 6);
    c.values["A"](0, 0) = 1e-6;
    c.values["X"].setZero();
    c.values["X"].row(0).setOnes();  // the value is 4e-12, |A|^2*|X|^2 some 20
    const DifferentialCheck robust(c.f, ScalarType::float32, Accuracy::robust);
    const DifferentialCheck fast(c.f, ScalarType::float32, Accuracy::fast);
    EXPECT_FALSE(robust.value(c.values, 1e-6).passes());
    EXPECT_TRUE(fast.value(c.values, 1e-6).passes());
    EXPECT_FALSE(fast.value(c.values, 1e-2).passes());
}

TEST(DifferentialCheck, KnowsWhereTheRangeOfTheTypeEnds) {
    const Expr f = parse("tr(X^64)", declared({"X=n,n"}));
    const MatrixMap values{{"X", MatrixXd::Constant(4, 4, 4.0)}};  // 4^128
    EXPECT_TRUE(DifferentialCheck(f, ScalarType::float32, Accuracy::robust).overflows("X", values));
    EXPECT_FALSE(
        DifferentialCheck(f, ScalarType::float64, Accuracy::robust).overflows("X", values));
    const MatrixMap small{{"X", MatrixXd::Constant(4, 4, 0.25)}};
    EXPECT_FALSE(DifferentialCheck(f, ScalarType::float32, Accuracy::robust).overflows("X", small));
}

TEST(DifferentialCheck, CallsAProblemDifficultThatHasNoDigits) {
    const Expr f = parse("sum(log(X))", declared({"X=n,n"}));
    const DifferentialCheck check(f, ScalarType::float64, Accuracy::robust);
    EXPECT_LT(check.difficulty({"X"}, {{"X", MatrixXd::Constant(4, 4, 2.0)}}), 1e-12);
    EXPECT_EQ(check.difficulty({"X"}, {{"X", MatrixXd::Constant(4, 4, -2.0)}}),
              std::numeric_limits<double>::infinity());
}

TEST(DifferentialCheck, AllowsProductsOfFloatsTheRoundingOfTf32) {
    // 2^-10 instead of 2^-23, where factors of 10 bits are asked for; doubles keep theirs.
    const Expr f = parse("norm2(A*x - b)^2");
    const MatrixMap values = random_values(symbols(f), kSizes, 21);
    const auto bound = [&](ScalarType type, bool tf32) {
        return DifferentialCheck(f, type, Accuracy::fast, tf32).value(values, 1).bound;
    };
    // The larger rounding is also looked at where f bends.
    EXPECT_NEAR(bound(ScalarType::float32, true) / bound(ScalarType::float32, false), 0x1p13,
                0.1 * 0x1p13);
    EXPECT_EQ(bound(ScalarType::float64, true), bound(ScalarType::float64, false));
}

}  // namespace
}  // namespace matgrad
