// One row, one rule: every operation of the language in a function whose gradient is proved.

#include <gtest/gtest.h>

#include "support/check_gradient.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct RuleCase {
    const char* f;
    const char* wrt;
    const char* declarations = "";
};

const RuleCase kCases[] = {
    {"sum(A.*(B*X))", "X"},
    {"sum((A.*X).*X./B)", "X", "A=m,n B=m,n X=m,n"},
    {"sum(X.^3)", "X"},
    {"sum(abs(X).^2.5)", "X"},
    {"sum(1./X)", "X"},
    {"dot(A,X)", "X"},
    {"dot(X*B,X*B)", "X"},
    {"norm2(A*X)", "X"},
    {"norm1(A*X)", "X"},
    {"logsumexp(A*x)", "x"},
    {"logsumexp(X)", "X"},
    {"sum(rowsum(X).^2)", "X"},
    {"sum(colsum(X).^3)", "X"},
    {"tr(diag(x)*A)", "x", "A=n,n x=n"},
    {"sum(diag(X*A).^2)", "X", "A=n,m X=m,n"},
    {"tr(A*tril(X))", "X", "A=n,n X=n,n"},
    {"sum(triu(X).^2)", "X", "X=n,n"},
    {"sum(exp(X))", "X"},
    {"sum(log(exp(X) + 1))", "X"},
    {"sum(sqrt(exp(X)))", "X"},
    {"sum(abs(X).*X)", "X"},
    {"sum(sin(X).*cos(X))", "X"},
    {"sum(tanh(A*X))", "X"},
    {"sum(sigmoid(A*X))", "X"},
    {"sum(softplus(A*x))", "x"},
    {"sum(relu(A*X).^2)", "X"},
    {"sum(X.*step(X) + sign(X).*X)", "X"},
    {"det(X)^2/tr(X'*X)", "X", "X=n,n"},
    {"logdet(A + X*X')", "X", "A=m,m:spd X=m,n"},
    {"tr(inv(A + X*X'))", "X", "A=m,m:spd X=m,n"},
    {"-logdet(P) + tr(S*P) + 0.1*sum(exp(P))", "P", "P=n,n:spd S=n,n:sym"},
    {"t*sum(X) + t^2 + exp(t)", "t", "t=1 X=m,n"},
    {"norm2(X + t)^2", "t", "t=1 X=m,n"},
    {"norm2(X + t)^2", "X", "t=1 X=m,n"},
    {"sum((x*y').*(x*y'))", "x"},
    {"(x'*A*x)/(x'*x)", "x"},
    {"sum(exp(-(x - y).^2/2))", "x", "x=n y=n"},
    {"logsumexp(A*x)-b'*x", "x"},
    {"sum(A*diag(x)*B)", "x", "A=m,n x=n B=n,p"},
    {"norm2(x)^4 + norm2(x)^3", "x"},
    {"x'*Q*inv(Q)*x", "x", "Q=n,n:orth x=n"},
    {"a'*X^-3*b", "X", "X=n,n a=n b=n"},
    {"tr(ones(m,n)*X'*X*X')", "X", "X=m,n"},
    {"sum(X*X'*ones(m,n))", "X", "X=m,n"},
};

class Rules : public testing::TestWithParam<RuleCase> {
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

INSTANTIATE_TEST_SUITE_P(Case, Rules, testing::ValuesIn(kCases));

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
