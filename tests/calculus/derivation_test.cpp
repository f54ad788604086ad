// What a person reads.

#include <gtest/gtest.h>

#include "expression/node.hpp"
#include "matgrad/calculus.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

std::string gradient_text(const char* f, const char* wrt, const char* declarations = "") {
    return to_text(differentiate(parse(f, parse_declarations(declarations)), wrt));
}

TEST(Gradient, OfTheFourFunctionsPrintsAsWritten) {
    EXPECT_EQ(gradient_text("0.5*norm2(X*A')^2", "X"), "X*A'*A");
    EXPECT_EQ(gradient_text("norm2(A*x - b)^2", "x"), "2*A'*(A*x - b)");
    EXPECT_EQ(gradient_text("tr(A*X*B)", "X"), "A'*B'");
    EXPECT_EQ(gradient_text("logdet(X'*X)", "X"), "2*X*inv(X'*X)");
    EXPECT_EQ(gradient_text("tr(A*X)", "X"), "A'");
    EXPECT_EQ(gradient_text("tr(X*B)", "X"), "B'");
}

TEST(Derivation, ShowsTheChainOfLogDetGram) {
    const Expr f = parse("logdet(X'*X)");
    const std::string names[] = {"X"};
    const Derivation d = derive(f, names);
    ASSERT_EQ(d.lines.size(), 3U);
    EXPECT_EQ(to_text(d.lines[0].statement), "tr(inv(X'*X)*d(X'*X))");
    EXPECT_EQ(to_text(d.lines[1].statement), "tr(inv(X'*X)*(dX'*X + X'*dX))");
    EXPECT_EQ(to_text(d.lines[2].statement), "2*tr(inv(X'*X)*X'*dX)");
    EXPECT_EQ(d.lines[0].source, "Matrix Cookbook 43");
    const std::string text = to_text(d, true);
    EXPECT_NE(text.find("f  = logdet(X'*X)\n"), std::string::npos) << text;
    EXPECT_NE(text.find("df = tr(inv(X'*X)*d(X'*X))"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("gradient = 2*X*inv(X'*X)\n")) << text;
}

TEST(Derivation, WithoutStepsIsTheGradientAlone) {
    const std::string names[] = {"X"};
    EXPECT_EQ(to_text(derive(parse("tr(A*X*B)"), names), false), "gradient = A'*B'\n");
}

TEST(Derivation, NamesEachOfSeveralVariables) {
    const std::string names[] = {"A", "B"};
    EXPECT_EQ(to_text(derive(parse("tr(A*B)"), names), false),
              "gradient A = B'\ngradient B = A'\n");
}

/// sin(sin(...).*...): every level holds the one below it twice, so its text doubles.
Expr doubling(int levels) {
    std::string text = "x";
    for (int i = 0; i < levels; ++i) {
        text = "(" + text + ".*sin(" + text + "))";
    }
    return parse("sum(" + text + ")");
}

TEST(Derivation, OfManySharedPartsIsFoundButNotWrittenDown) {
    const Expr f = doubling(11);
    const std::string names[] = {"x"};
    const Expr gradient = derive(f, names, Convention::projected, Lines::omit).gradients[0].form;
    const Expr roots[] = {gradient};
    EXPECT_LT(topological_order(roots).size(), 200U);
    EXPECT_THROW((void)to_text(gradient), UnsupportedError);
    EXPECT_THROW((void)to_latex(gradient), UnsupportedError);
    EXPECT_THROW((void)to_numpy(gradient), UnsupportedError);
    EXPECT_THROW((void)derive(f, names), UnsupportedError);  // nor are its steps
}

}  // namespace
}  // namespace matgrad
