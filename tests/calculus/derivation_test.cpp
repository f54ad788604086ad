// What a person reads.

#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "expression/node.hpp"
#include "matgrad/build.hpp"
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

TEST(Derivation, ByNoVariableIsEmpty) {
    for (const char* text : {"sum(relu(x))", "logdet(X'*X)", "t"}) {
        const Derivation derivation = derive(parse(text, {"t=1"}), std::span<const std::string>());
        EXPECT_TRUE(derivation.gradients.empty() && derivation.lines.empty()) << text;
    }
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

TEST(Derivation, WritesStepsWithTheNamesOfItsParts) {
    const Reading read = read_text("K = W*W' + t*eye(n); 0.5*logdet(K) + 0.5*y'*inv(K)*y",
                                   parse_declarations("W=n,p t=1:pos"));
    const std::string names[] = {"t"};
    const Derivation d = derive(read.expression, names);
    const std::string text = to_text(d, true, PartNames::automatic, read.parts);
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    ASSERT_GT(lines.size(), 5U) << text;
    EXPECT_EQ(lines[0], "K = W*W' + t*eye(n);");
    EXPECT_EQ(lines[1], "Y = inv(K);");
    EXPECT_EQ(lines[2], "f  = 0.5*logdet(K) + 0.5*y'*Y*y") << text;
    EXPECT_NE(text.find("*dK"), std::string::npos) << text;
    EXPECT_EQ(text.find("W*W'", lines[0].size()), std::string::npos) << text;
    const std::string expanded = to_text(d, true, PartNames::never, read.parts);
    EXPECT_TRUE(expanded.starts_with("f  = 0.5*logdet(W*W' + t*eye(n))")) << expanded;
    const std::string latex = to_latex(d, true, PartNames::automatic, read.parts);
    EXPECT_TRUE(latex.starts_with("\\begin{aligned}\nK &= W W^{\\top} + t I")) << latex;
}

TEST(Derivation, NamesNoColumnOrRowThatIsSpread) {
    const std::string text = to_text(derive(parse("norm2(X - colmean(X))^4"), "X"), true);
    EXPECT_EQ(text.find("Y = -ones"), std::string::npos) << text;
    EXPECT_NE(text.find("Y = X - colsum(X)/dim(m);\n"), std::string::npos) << text;
}

TEST(Derivation, NamesEachOfSeveralVariables) {
    const std::string names[] = {"A", "B"};
    EXPECT_EQ(to_text(derive(parse("tr(A*B)"), names), false),
              "gradient A = B'\ngradient B = A'\n");
}

std::vector<std::string> rules_of(const char* f, const char* wrt) {
    std::vector<std::string> rules;
    for (const DerivationLine& line : derive(parse(f), wrt).lines) {
        rules.push_back(line.rule);
    }
    return rules;
}

TEST(Derivation, NamesTheIdentityThatMovesTheDifferential) {
    using Rules = std::vector<std::string>;
    EXPECT_EQ(rules_of("dot(A,X)", "X"),
              (Rules{"d(dot(Y,Z)) = dot(dY,Z) + dot(Y,dZ)", "dot(P,Q) = tr(P'*Q)"}));
    EXPECT_EQ(rules_of("sum(X*a)", "X"),
              (Rules{"d(sum(Y)) = sum(dY)", "sum(P) = tr(ones'*P)", "d(Y*Z) = dY*Z + Y*dZ"}));
    EXPECT_EQ(rules_of("a'*rowsum(X)", "X"),
              (Rules{"d(Y*Z) = dY*Z + Y*dZ", "d(rowsum(Y)) = rowsum(dY)", "rowsum(P) = P*ones"}));
    EXPECT_EQ(rules_of("sum(sin(x))", "x"),
              (Rules{"d(sum(Y)) = sum(dY)", "sum(P) = tr(ones'*P)", "d(sin(Y)) = cos(Y).*dY",
                     "tr(P'*(Q.*R)) = tr((P.*Q)'*R)"}));
}

TEST(Derivation, RulesStandInOneColumn) {
    // A statement of more than 60 characters has its rule on a line of its own.
    const std::string text =
        to_text(derive(parse("tr(A*X*B*X'*C*X) + tr(X'*D*X*B*X'*C*X*X'*B)"), "X"), true);
    std::size_t column = 0;
    std::size_t rules = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t source = line.rfind("   [");
        if (source == std::string::npos) {
            continue;
        }
        const std::size_t rule = line.rfind("   ", source - 1) + 3;
        column = rules++ == 0 ? rule : column;
        EXPECT_EQ(rule, column) << text;
    }
    EXPECT_GE(rules, 3U) << text;
    EXPECT_NE(text.find("\n" + std::string(column, ' ')), std::string::npos) << text;
}

TEST(Derivation, WithStepsNamesWhatTheGradientRepeats) {
    const Derivation d = derive(parse("tr(inv(A + X*X'))"), "X");
    const std::string text = to_text(d, true);
    EXPECT_TRUE(text.starts_with("Y = inv(A + X*X');\nf  = tr(Y)\n")) << text;
    EXPECT_TRUE(text.ends_with("\ngradient = -Y'^2*X - Y^2*X\n")) << text;
    EXPECT_TRUE(to_text(d, true, PartNames::never)
                    .ends_with("\ngradient = -inv(A + X*X')'^2*X - inv(A + X*X')^2*X\n"));
    EXPECT_TRUE(to_text(d, false).ends_with("inv(A + X*X')^2*X\n"));  // reads back
}

TEST(Derivation, InLatexIsANablaOrAnAlignedEnvironment) {
    EXPECT_EQ(to_latex(derive(parse("tr(A*X)"), "X"), false), "\\nabla_{X} f = A^{\\top}\n");
    EXPECT_EQ(to_latex(derive(parse("logdet(X'*X)"), "X"), true),
              R"(\begin{aligned}
f &= \log\left|\det(X^{\top} X)\right| \\
\mathrm{d}f &= \operatorname{tr}((X^{\top} X)^{-1} \mathrm{d}(X^{\top} X)) && \text{d(logdet(Y)) = tr(inv(Y)*dY) [Matrix Cookbook 43]} \\
&= \operatorname{tr}((X^{\top} X)^{-1} (\mathrm{d}X^{\top}\, X + X^{\top} \mathrm{d}X)) && \text{d(Y*Z) = dY*Z + Y*dZ [Matrix Cookbook 34, 37, 44]} \\
&= 2 \operatorname{tr}((X^{\top} X)^{-1} X^{\top} \mathrm{d}X) && \text{tr(P*Q) = tr(Q*P), tr(P') = tr(P) [cyclic permutation]} \\
\nabla_{X} f &= 2 X (X^{\top} X)^{-1}
\end{aligned}
)");
    EXPECT_EQ(to_latex(derive(parse("tr(A*B)"), {"A", "B"}), false),
              "\\begin{aligned}\n\\nabla_{A} f &= B^{\\top} \\\\\n"
              "\\nabla_{B} f &= A^{\\top}\n\\end{aligned}\n");
    EXPECT_EQ(
        to_latex(derive(parse("tr(inv(A + X*X'))"), "X"), false),
        R"(\nabla_{X} f = -(Y^{\top})^{2} X - Y^{2} X, \quad \text{where } Y = (A + X X^{\top})^{-1})"
        "\n");
    // A rule's ^ and & are text there.
    const std::string power = to_latex(derive(parse("sum(x.^3)"), "x"), true);
    EXPECT_NE(power.find(R"(\text{d(Y.\^{}k) = k*Y.\^{}(k-1).*dY [Magnus \& Neudecker ch. 8]})"),
              std::string::npos)
        << power;
}

TEST(Derive, TakesNamesInAnyForm) {
    const Expr f = parse("tr(A*X)");
    const Expr expected = parse("A'", symbols(f));
    EXPECT_EQ(derive(f, "X").gradients.front().form, expected);
    EXPECT_EQ(derive(f, {"X"}).gradients.front().form, expected);
    EXPECT_EQ(derive(f, {"A", "X"}).gradients.back().form, expected);
    EXPECT_EQ(derive(f, {"A", "X"}, Convention::projected, Lines::omit).lines.size(), 0U);
    const std::string name = "X";
    EXPECT_EQ(derive(f, name).gradients.front().form, expected);
    EXPECT_EQ(derive(f, {name}).gradients.front().form, expected);
    EXPECT_EQ(derive(f, std::vector{name}).gradients.front().form, expected);
    EXPECT_EQ(derive(f, std::array{name}).gradients.front().form, expected);
    EXPECT_EQ(derive(f, std::span<const std::string>(&name, 1)).gradients.front().form, expected);
    EXPECT_EQ(derive(f, std::string_view("X")).gradients.front().form, expected);
    EXPECT_EQ(differentiate(f, "X"), expected);
}

TEST(Derive, OfAnEmptyExprIsAnErrorOfTheCaller) {
    const auto message = [](auto&& call) {
        try {
            call();
        } catch (const CallerError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const char* const expected =
        "derive: found an empty Expr, expected an expression (of parse or build.hpp)";
    EXPECT_EQ(message([] { (void)derive(Expr(), "X"); }), expected);
    EXPECT_EQ(message([] { (void)derive(Expr(), {"X"}); }), expected);
    EXPECT_EQ(message([] { (void)differentiate(Expr(), "X"); }), expected);
    EXPECT_EQ(message([] { (void)hessian_vector_product(Expr(), "X", "V"); }), expected);
    EXPECT_NE(message([] { (void)to_text(Derivation(), true); }), "");
    EXPECT_NE(message([] { (void)to_latex(Derivation(), true); }), "");
}

TEST(Gradient, OfABuiltLossIsThatOfItsText) {
    const Expr p = symbol("P=n,n:spd");
    const Expr s = symbol("S=n,n:sym");
    const Expr loss = -logdet(p) + tr(s * p) + 0.1 * pow(norm2(p), 2);
    EXPECT_EQ(to_text(differentiate(loss, "P")), "0.2*P + S - inv(P)");
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
