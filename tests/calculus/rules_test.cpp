// One row, one rule: every operation of the language in a function whose gradient is proved.

#include <gtest/gtest.h>

#include "support/check_gradient.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"

namespace matgrad {
namespace {

class Rules : public testing::TestWithParam<FunctionCase> {
protected:
    [[nodiscard]] Expr f() const {
        return parse(GetParam().f, parse_declarations(GetParam().declarations));
    }
};

TEST_P(Rules, GradientIsTheReferenceDifferential) {
    expect_gradient(f(), GetParam().wrt, differentiate(f(), GetParam().wrt), 1e-10);
}

TEST_P(Rules, EveryLineOfTheDerivationIsTheDifferential) {
    const std::string names[] = {GetParam().wrt};
    const auto declarations = symbols(f());
    const Sizes sizes = distinct_sizes(declarations);
    const MatrixMap values = random_values(declarations, sizes, 11);
    const MatrixMap move = random_move(declarations, sizes, GetParam().wrt, 12);
    const Dual dual = evaluate_differential(f(), values, move, sizes);
    const double scale = std::abs(dual.differential(0, 0)) + std::abs(dual.value(0, 0));
    for (const DerivationLine& line : derive(f(), names).lines) {
        const double stated =
            evaluate_differential(line.statement, values, move, sizes).value(0, 0);
        EXPECT_NEAR(stated, dual.differential(0, 0), 1e-10 * scale) << to_text(line.statement);
    }
}

TEST_P(Rules, GradientParsesAgainAndItsOwnGradientIsRight) {
    const Expr g = differentiate(f(), GetParam().wrt);
    EXPECT_EQ(parse(to_text(g), symbols(f())), g) << to_text(g);
    // <G, W> is a scalar function again.
    const Expr slope = parse("dot(" + to_text(g) + ",W9)", [&] {
        std::vector<Declaration> all = symbols(f());
        all.push_back({"W9", g.shape(), Structure::general});
        return all;
    }());
    bool depends = false;
    for (const Declaration& d : symbols(slope)) {
        depends = depends || d.name == GetParam().wrt;
    }
    if (depends) {
        expect_gradient(slope, GetParam().wrt, differentiate(slope, GetParam().wrt), 1e-9);
    }
}

INSTANTIATE_TEST_SUITE_P(Case, Rules, testing::ValuesIn(kFunctions));

TEST(Rules, ConstantAlmostEverywhereHasZeroGradient) {
    const Expr f = parse("sum(sign(X)) + sum(step(X))");
    EXPECT_EQ(to_text(differentiate(f, "X")), "0*ones(m,n)");
}

TEST(Rules, SeveralVariablesShareTheirWork) {
    const Expr f = parse("norm2(A*x - b)^2");
    const std::string names[] = {"b", "x", "A"};
    const Derivation d = derive(f, names);
    ASSERT_EQ(d.gradients.size(), 3U);
    EXPECT_EQ(to_text(d.gradients[0].form), "-2*(A*x - b)");
    EXPECT_EQ(to_text(d.gradients[1].form), "2*A'*(A*x - b)");
    EXPECT_EQ(to_text(d.gradients[2].form), "2*(A*x - b)*x'");
}

TEST(Differentiate, RefusesWhatIsNotScalar) {
    EXPECT_THROW((void)differentiate(parse("A*X"), "X"), ShapeError);
}

TEST(Differentiate, RefusesAVariableThatDoesNotOccur) {
    EXPECT_THROW((void)differentiate(parse("sum(X)"), "Y"), NameError);
}

TEST(Differentiate, IsLinearInTheNodesOfALongChain) {
    // tanh of tanh of ...: 200 nodes give a gradient of no more than a few nodes each.
    std::string text = "x";
    for (int i = 0; i < 100; ++i) {
        text = "tanh(" + text + ")";
    }
    const Expr f = parse("sum(" + text + ")");
    const std::string names[] = {"x"};
    const Expr roots[] = {derive(f, names, Convention::projected, Lines::omit).gradients[0].form};
    EXPECT_LT(topological_order(roots).size(), 1000U);
}

}  // namespace
}  // namespace matgrad
