// Shapes: what unifies, what broadcasts, and what a mismatch says.

#include <gtest/gtest.h>

#include "expression/node.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct ShapeCase {
    const char* text;
    const char* shape;
    const char* declarations = "";
};

TEST(Shapes, AreInferred) {
    const ShapeCase cases[] = {
        {"A*B", "m-by-p"},
        {"A'", "n-by-m"},
        {"x'*y", "1-by-1"},
        {"x*y'", "m-by-n"},
        {"A*x", "m-by-1"},
        {"x'*A", "1-by-n"},
        {"inv(A)", "m-by-m"},
        {"A^3", "m-by-m"},
        {"diag(v)", "m-by-m"},
        {"diag(A)", "m-by-1"},
        {"diag(v)*diag(A)", "m-by-1"},
        {"rowsum(A)", "m-by-1"},
        {"colsum(A)", "1-by-n"},
        {"sum(A) + norm2(A) + norm1(A) + logsumexp(A)", "1-by-1"},
        {"exp(A) + tril(A) + triu(A)", "m-by-n"},
        {"eye(k)", "k-by-k"},
        {"ones(k,3)", "k-by-3"},
        {"eye(k)*A", "k-by-m"},
        {"eye(n) + A", "k-by-k", "A=k,k"},
        {"ones(m,n) + A", "3-by-k", "A=3,k"},
        {"A*B", "3-by-5", "A=3,4 B=4,5"},
        {"A*B + C", "3-by-m", "A=3,4"},
        {"2 + A", "m-by-n"},
        {"t*A + s", "m-by-n", "t=1 s=1"},
        {"x'*y + A", "n-by-p"},
        {"A/norm2(A)", "m-by-n"},
        {"norm2(A)/A", "m-by-n"},
        {"dot(A,B)", "1-by-1"},
        {"max(A,B)", "m-by-n"},
        {"A < B", "m-by-n"},
        {"where(A < t, x*y', 1)", "m-by-n", "t=1"},
        {"where(s < t, A, 1)", "m-by-n", "s=1 t=1"},
        {"2.^A + clip(t, A, 1)", "m-by-n", "t=1"},
        {"x.^p", "m-by-1", "p=1"},
        {"max(A*B,t)", "m-by-p", "t=1"},
        {"min(t,A)", "m-by-n", "t=1"},
        {"min(t,2)", "1-by-1", "t=1"},
        {"ones(1,1)*A", "m-by-n"},
        {"eye(1)", "1-by-1"},
        {"det(t)*inv(t)*tr(t)", "1-by-1", "t=1"},
        {"t^0.5", "1-by-1", "t=1"},
        {"r*A", "1-by-n", "r=1,m A=m,n"},
        {"diag(t)", "1-by-1", "t=1"},
        {"x + r'", "n-by-1", "r=1,n x=n"},
    };
    for (const ShapeCase& c : cases) {
        EXPECT_EQ(parse(c.text, parse_declarations(c.declarations)).shape().text(), c.shape)
            << c.text;
    }
}

std::string symbol_text(const std::string& text, const std::string& declarations = "") {
    std::string result;
    for (const Declaration& d : symbols(parse(text, parse_declarations(declarations)))) {
        result += (result.empty() ? "" : " ") + to_text(d);
    }
    return result;
}

TEST(Unification, NamesTheDimensionsNobodyNamedInOrderOfAppearance) {
    EXPECT_EQ(symbol_text("A*B*C"), "A=m,n B=n,p C=p,q");
    EXPECT_EQ(symbol_text("norm2(A*x - b)^2"), "A=m,n x=n b=m");
    EXPECT_EQ(symbol_text("logdet(X'*X)"), "X=m,n");
    EXPECT_EQ(symbol_text("tr(A*X)"), "A=m,n X=n,m");
    EXPECT_EQ(symbol_text("sum(A)*sum(B)*sum(C)*sum(D)*sum(E)*sum(F)"),
              "A=m,n B=p,q C=r,s D=u,v E=w,d1 F=d2,d3");
}

TEST(Unification, SkipsNamesThatAreTaken) {
    EXPECT_EQ(symbol_text("A*B*C", "B=m,k"), "A=n,m B=m,k C=k,p");
    EXPECT_EQ(symbol_text("sum(A)*sum(ones(m,p))"), "A=n,q");
}

TEST(Unification, TakesDeclaredNamesAndNumbers) {
    EXPECT_EQ(symbol_text("A*B", "A=m,3"), "A=m,3 B=3,n");
    EXPECT_EQ(symbol_text("A + B*C", "A=k,l"), "A=k,l B=k,m C=m,l");
    EXPECT_EQ(symbol_text("tr(A*B)", "A=k,l"), "A=k,l B=l,k");
    EXPECT_EQ(symbol_text("A + ones(k,l)"), "A=k,l");
    EXPECT_EQ(symbol_text("sum(X)*sum(Y) + tr(X + Y)"), "X=m,m Y=m,m");
}

TEST(Unification, ReachesBackFromALaterMention) {
    EXPECT_EQ(symbol_text("sum(A*B) + sum(B - C)", "C=u,v"), "A=m,u B=u,v C=u,v");
    EXPECT_EQ(symbol_text("x'*y + sum(y + z)", "z=7"), "x=7 y=7 z=7");
}

struct MismatchCase {
    const char* text;
    const char* message;
    const char* declarations = "";
};

TEST(ShapeError, NamesBothOperandsBothShapesAndThePlace) {
    const MismatchCase cases[] = {
        {"A*B", "A*B: A is m-by-n, B is p-by-q; columns of A (n) must equal rows of B (p)",
         "A=m,n B=p,q"},
        {"tr(C + A*B)", "A*B: A is 3-by-4, B is 5-by-3; columns of A (4) must equal rows of B (5)",
         "A=3,4 B=5,3"},
        {"A'*B*C",
         "A'*B*C: A'*B is n-by-n, C is m-by-n; columns of A'*B (n) must equal rows of C "
         "(m)",
         "A=m,n B=m,n C=m,n"},
        {"A + B", "A + B: A is m-by-n, B is n-by-m; both operands of + must have one shape",
         "A=m,n B=n,m"},
        {"A - x", "A - x: A is m-by-n, x is k-by-1; both operands of - must have as many rows",
         "A=m,n x=k"},
        {"A.*x'", "A.*x': A is m-by-n, x' is 1-by-k; both operands of .* must have as many columns",
         "A=m,n x=k"},
        {"max(A, x)", "max(A, x): A is m-by-n, x is k-by-1; both must have as many rows",
         "A=m,n x=k"},
        {"x + y'", "x + y': x is m-by-1, y' is 1-by-n; both operands of + must have one shape"},
        {"x.*y'.*A", "x.*y': x is m-by-1, y' is 1-by-n; both operands of .* must have one shape"},
        {"x - y' + A + B",
         "x - y' + A + B: x - y' + A is m-by-n, B is m-by-k; both operands of + "
         "must have one shape",
         "A=m,n B=m,k"},
        {"softmax(A)",
         "softmax(A): A is m-by-n, expected a column or a row; of each row or column of a matrix "
         "it "
         "is rowsoftmax or colsoftmax"},
        {"dim(2.5)", "dim: a dimension is a name or a whole number of at least 1, as in dim(n)"},
        {"A./B", "A./B: A is m-by-n, B is m-by-k; both operands of ./ must have one shape",
         "A=m,n B=m,k"},
        {"x*y",
         "x*y: x is m-by-1, y is n-by-1; columns of x (1) must equal rows of y (n); a dot "
         "product is x'*y, a scalar is declared as in x=1"},
        {"s*A",
         "s*A: s is m-by-1, A is n-by-p; columns of s (1) must equal rows of A (n); a "
         "scalar is declared as in s=1"},
        {"A/B",
         "A/B: A is m-by-n, B is p-by-q; only a scalar divides or is divided by /; write "
         "A*inv(B) for the inverse or A./B for each entry"},
        {"inv(A)", "inv(A): A is m-by-n, expected a square matrix", "A=m,n"},
        {"1 + det(A*x)", "det(A*x): A*x is m-by-1, expected a square matrix"},
        {"logdet(A)", "logdet(A): A is 3-by-4, expected a square matrix", "A=3,4"},
        {"tr(x)", "tr(x): x is m-by-1, expected a square matrix"},
        {"A^2", "A^2: A is m-by-n, expected a square matrix; each entry alone is raised by .^",
         "A=m,n"},
        {"x^2", "x^2: x is m-by-1, expected a square matrix; each entry alone is raised by .^"},
        {"diag(A)", "diag(A): A is m-by-n; diag needs a column vector or a square matrix", "A=m,n"},
        {"diag(x')", "diag(x'): x' is 1-by-m; diag needs a column vector or a square matrix"},
        {"dot(A, B)", "dot(A, B): A is m-by-n, B is n-by-m; both must have one shape",
         "A=m,n B=n,m"},
        {"A^B",
         "A^B: A is m-by-n, B is p-by-q; ^ raises a scalar to a scalar, or a square matrix to a "
         "whole "
         "number; each entry alone is raised by .^"},
        {"A < B'*A",
         "A < B'*A: A is m-by-n, B'*A is n-by-n; both operands of a comparison must have one shape",
         "A=m,n B=m,n"},
        {"where(A, B, C)", "where(A, B, C): A is m-by-n, C is n-by-m; both must have one shape",
         "A=m,n B=m,n C=n,m"},
        {"max(A, B')", "max(A, B'): A is m-by-n, B' is p-by-q; both must have one shape",
         "A=m,n B=q,p"},
        {"dot(A, t)", "dot(A, t): A is m-by-n, t is 1-by-1; both must have one shape", "t=1"},
        {"A*eye(k)",
         "A*eye(k): A is m-by-n, eye(k) is k-by-k; columns of A (n) must equal rows of "
         "eye(k) (k)",
         "A=m,n B=k,k"},
        {"eye(2.5)", "eye: a dimension is a name or a whole number of at least 1, as in eye(n)"},
        {"ones(0,n)",
         "ones: a dimension is a name or a whole number of at least 1, as in ones(m,3)"},
        {"ones(m,A*B)",
         "ones: a dimension is a name or a whole number of at least 1, as in ones(m,3)"},
        {"eye(n')", "eye: a dimension is a name or a whole number of at least 1, as in eye(n)"},
    };
    for (const MismatchCase& c : cases) {
        EXPECT_EQ(message_of<ShapeError>(
                      [&] { return parse(c.text, parse_declarations(c.declarations)); }),
                  c.message)
            << c.text;
    }
}

TEST(ShapeError, ShortensLongOperands) {
    std::string sum = "A";
    for (int i = 0; i < 1000; ++i) {
        sum += " + A";
    }
    const std::string message = message_of<ShapeError>(
        [&] { return parse("(" + sum + ")*B", parse_declarations("A=m,n B=p,q")); });
    EXPECT_LT(message.size(), 400U);
    EXPECT_NE(message.find("..."), std::string::npos);
}

TEST(Unification, NeverMakesAnUndeclaredDimensionOne) {
    const auto refused = [](const char* text, const char* declarations) {
        EXPECT_THROW((void)parse(text, parse_declarations(declarations)), ShapeError) << text;
    };
    refused("A*r", "r=1,n");  // an undeclared A has n columns, not 1
    refused("x*A", "x=n");
    EXPECT_EQ(parse("A*r", parse_declarations("A=m,1 r=1,n")).shape().text(), "m-by-n");
}

TEST(Unification, NeverMakesTwoDeclaredNamesOne) {
    for (const char* text : {"A + B", "A'*B", "dot(A, B)", "A.*B", "A - B"}) {
        EXPECT_THROW((void)parse(text, parse_declarations("A=m,n B=k,n C=m,m")), ShapeError)
            << text;
    }
    EXPECT_THROW((void)parse("A*C + B*C", parse_declarations("A=m,n B=m,k")), ShapeError);
    EXPECT_THROW((void)parse("A", parse_declarations("A=0,n")), ShapeError);
}

TEST(Unification, NeverMakesADeclaredNameANumber) {
    EXPECT_THROW((void)parse("A*B", parse_declarations("A=m,n B=3,k")), ShapeError);
    EXPECT_THROW((void)parse("A + ones(3,n)", parse_declarations("A=m,n")), ShapeError);
}

TEST(Broadcast, IsDecidedOnTheSymbolsNotOnSizes) {
    // n-by-1 times 1-by-1 is a scaled column only where the scalar is declared or constructed.
    EXPECT_EQ(parse("x*t", parse_declarations("t=1")).shape().text(), "m-by-1");
    EXPECT_EQ(parse("x*(y'*z)").shape().text(), "m-by-1");
    EXPECT_THROW((void)parse("x*y"), ShapeError);
    EXPECT_EQ(parse("A + sum(B)").shape().text(), "m-by-n");
}

TEST(Meaning, LogOfDetIsLogdetOnlyWhereTheMatrixIsKnownPositive) {
    EXPECT_EQ(parse("log(det(X'*X))"), parse("logdet(X'*X)"));
    const auto spd = parse_declarations("S=n,n:spd");
    EXPECT_EQ(parse("log(det(S))", spd), parse("logdet(S)", spd));
    EXPECT_EQ(parse("log(det(A))")->op, Op::log_det);
}

TEST(Meaning, LogOfASumOfExpDoesNotOverflow) {
    EXPECT_EQ(parse("log(sum(exp(A*x)))"), parse("logsumexp(A*x)"));
}

}  // namespace
}  // namespace matgrad
