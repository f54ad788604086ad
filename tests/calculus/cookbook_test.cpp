// All rows of the table: derived, compared with the table, with the oracle, line by line.

#include "support/cookbook.hpp"

#include <gtest/gtest.h>

#include "support/check_gradient.hpp"

namespace matgrad {
namespace {

class Cookbook : public testing::TestWithParam<CookbookRow> {
protected:
    [[nodiscard]] Expr f() const { return parse(GetParam().f, GetParam().declarations); }
    [[nodiscard]] Expr gradient() const { return differentiate(f(), GetParam().wrt); }
    [[nodiscard]] std::vector<Declaration> declarations() const { return symbols(f()); }
};

constexpr double kRelative = 1e-10;

TEST_P(Cookbook, GradientAgreesWithTheTable) {
    const Expr table = parse(GetParam().gradient, GetParam().declarations);
    const Sizes sizes = distinct_sizes(GetParam().declarations);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const MatrixMap values = random_values(GetParam().declarations, sizes, seed);
        const Eigen::MatrixXd ours = evaluate_reference(gradient(), values, sizes);
        const Eigen::MatrixXd theirs = evaluate_reference(table, values, sizes);
        ASSERT_EQ(ours.rows(), theirs.rows());
        ASSERT_EQ(ours.cols(), theirs.cols());
        EXPECT_LE((ours - theirs).norm(), kRelative * theirs.norm()) << to_text(gradient());
    }
}

TEST_P(Cookbook, GradientIsTheReferenceDifferential) {
    expect_gradient(f(), GetParam().wrt, gradient(), kRelative);
}

TEST_P(Cookbook, EveryLineOfTheDerivationIsTheDifferential) {
    const std::string names[] = {GetParam().wrt};
    const Derivation derivation = derive(f(), names);
    ASSERT_FALSE(derivation.lines.empty());
    const Sizes sizes = distinct_sizes(GetParam().declarations);
    const MatrixMap values = random_values(GetParam().declarations, sizes, 11);
    const MatrixMap move = random_move(declarations(), sizes, GetParam().wrt, 12);
    const Dual dual = evaluate_differential(f(), values, move, sizes);
    const double df = dual.differential(0, 0);
    const double scale = std::abs(df) + std::abs(dual.value(0, 0));
    for (const DerivationLine& line : derivation.lines) {
        const double stated =
            evaluate_differential(line.statement, values, move, sizes).value(0, 0);
        EXPECT_NEAR(stated, df, kRelative * scale) << "df = " << to_text(line.statement);
        EXPECT_FALSE(line.rule.empty());
        EXPECT_FALSE(line.source.empty());
    }
}

TEST_P(Cookbook, PrintedGradientParsesAgainAndDifferentiatesAgain) {
    const Expr g = gradient();
    EXPECT_EQ(parse(to_text(g), declarations()), g) << to_text(g);
    const Expr h = hessian_vector_product(f(), GetParam().wrt, "V9");
    std::vector<Declaration> all = declarations();
    for (const Declaration& d : symbols(h)) {
        if (d.name == "V9") {
            all.push_back(d);
        }
    }
    EXPECT_EQ(parse(to_text(h), all), h) << to_text(h);
}

TEST_P(Cookbook, HessianVectorProductIsTheDifferenceOfGradients) {
    const Expr h = hessian_vector_product(f(), GetParam().wrt, "V9");
    const Sizes sizes = distinct_sizes(GetParam().declarations);
    MatrixMap values = random_values(GetParam().declarations, sizes, 21);
    const std::string& x = GetParam().wrt;
    const Eigen::MatrixXd v = random_move(declarations(), sizes, x, 22).at(x);
    const Eigen::MatrixXd at = values.at(x);
    const auto gradient_at = [&](double t) {
        values[x] = at + t * v;
        const Eigen::MatrixXd g = evaluate_reference(gradient(), values, sizes);
        values[x] = at;
        return g;
    };
    // Richardson: the error of order h^2 cancels between the two differences.
    constexpr double kStep = 1e-3;
    const Eigen::MatrixXd wide = (gradient_at(kStep) - gradient_at(-kStep)) / (2 * kStep);
    const Eigen::MatrixXd narrow = (gradient_at(kStep / 2) - gradient_at(-kStep / 2)) / kStep;
    const Eigen::MatrixXd expected = (4 * narrow - wide) / 3;
    // Truncation is of the size of what Richardson removed, squared in h; rounding is eps/h of G.
    const double bound = 0.05 * (narrow - wide).norm() + 1e-11 * gradient_at(0).norm() / kStep;
    values["V9"] = v;
    const Eigen::MatrixXd ours = evaluate_reference(h, values, sizes);
    EXPECT_LE((ours - expected).norm(), bound) << to_text(h);
}

INSTANTIATE_TEST_SUITE_P(Row, Cookbook, testing::ValuesIn(read_cookbook()), [](const auto& row) {
    std::string name = "Eq" + row.param.equation;
    for (char& c : name) {
        if (c == '-') {
            c = '_';
        }
    }
    return name;
});

TEST(CookbookTable, HasAllRows) {
    EXPECT_EQ(read_cookbook().size(), 66U);
}

}  // namespace
}  // namespace matgrad
