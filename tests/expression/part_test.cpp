// Entries, rows, columns and blocks: how they are read and written, what they become, and what does not fit.

#include <gtest/gtest.h>

#include "expression/node.hpp"
#include "matgrad/build.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct Case {
    const char* text;
    const char* expected;
    const char* declarations = "";
};

Expr read(const Case& c) {
    return parse(c.text, parse_declarations(c.declarations));
}

TEST(Parts, HaveShapes) {
    const Case cases[] = {
        {"X(2,:)", "1-by-n"},        {"X(:,3)", "m-by-1"},        {"X(2,3)", "1-by-1"},
        {"X(1:k,:)", "k-by-n"},      {"X(2:4,1:k)", "3-by-k"},    {"x(2)", "1-by-1"},
        {"x(1:k)", "k-by-1"},        {"x'(1:3)", "1-by-3"},       {"r(2:3)", "1-by-2", "r=1,n"},
        {"(A*B)(2,:)", "1-by-p"},    {"inv(A)(1:2,:)", "2-by-m"}, {"X(1:3,:)'(1,:)", "1-by-3"},
        {"X(1:3,:)(2,:)", "1-by-n"}, {"X(:,:)", "m-by-n"},        {"X(3:3,:)", "1-by-n"},
        {"X ( 2 , : )", "1-by-n"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(read(c).shape().text(), c.expected) << c.text;
    }
}

TEST(Parts, AreWrittenAsTheyAreRead) {
    const Case cases[] = {
        {"X(2,:)", "X(2,:)"},
        {"X(:,3)*2", "2*X(:,3)"},
        {"X(1:k,2:3)", "X(1:k,2:3)"},
        {"x(2)^2*x(1)", "x(2)^2*x(1)"},
        {"x'(2)", "x(2)"},
        {"(A*X)(2,:)", "A(2,:)*X"},
        {"(A*X)(2,3)", "A(2,:)*X(:,3)"},
        {"(A + X)(2,:)", "(A + X)(2,:)"},
        {"(A.*X)(1:2,:)'", "(A.*X)'(:,1:2)"},
        {"exp(X)(1,2)", "exp(X)(1,2)"},
        {"inv(X)(1:2,1:2)", "inv(X)(1:2,1:2)"},
        {"X(1:5,:)(2:3,:)", "X(2:3,:)"},
        {"X(3:5,:)(2:3,:)", "X(4:5,:)"},
        {"X(1:k,:)(2:3,:)", "X(2:3,:)"},
        {"eye(n)(:,2)*x'", "eye(n)(:,2)*x'"},
        {"eye(n)(:,1:k)*eye(n)(1:k,:)", "eye(n)(:,1:k)*eye(n)(1:k,:)"},
        {"eye(n)(2:3,:)*eye(n)(:,2:3)", "eye(2)"},
        {"ones(m,n)(1:2,:)", "ones(2,n)"},
        {"X(:,:)", "X"},
        {"X(1:3,:)", "X", "X=3,n"},
        {"X(2,:)*X(2,:)'", "X(2,:)*X'(:,2)"},
    };
    for (const Case& c : cases) {
        const Expr e = read(c);
        EXPECT_EQ(to_text(e), c.expected) << c.text;
        EXPECT_EQ(parse(to_text(e), symbols(e)), e) << to_text(e);
    }
}

TEST(Parts, AreWrittenInLatexAndNumpy) {
    EXPECT_EQ(to_latex(parse("X(2,:)*v(1:k)", parse_declarations("X=m,k v=n"))), "X_{2,:} v_{1:k}");
    EXPECT_EQ(to_latex(parse("x_1(2)", parse_declarations("x_1=n"))), "(x_{1})_{2}");
    EXPECT_EQ(to_numpy(parse("X(2,:)")), "(X[1, :])[np.newaxis, :]");
    EXPECT_EQ(to_numpy(parse("X(2:3,1:k)", parse_declarations("X=m,n Z=k"))), "X[1:3, :k]");
    EXPECT_EQ(to_numpy(parse("x(1)^2")), "x[0]**2");
    EXPECT_EQ(to_numpy(parse("eye(n)(:,2)*x'", parse_declarations("x=n"))),
              "np.outer(np.eye(x.shape[0])[:, 1], x)");
}

TEST(Parts, OfANameThatIsNoFunctionAreNoCall) {
    EXPECT_EQ(to_text(parse("w(1)^2 + w(2)")), "w(1)^2 + w(2)");
    EXPECT_EQ(parse("exp(2)", {"exp=n"}), part(symbol("exp=n"), 2));
    EXPECT_EQ(to_text(parse("eye(2)")), "eye(2)");
    EXPECT_NE(message_of<NameError>([] { return parse("f(x)"); }).find("there is no function f"),
              std::string::npos);
    EXPECT_NE(message_of<NameError>([] { return parse("lgo(2)"); }).find("did you mean log?"),
              std::string::npos);
    EXPECT_NE(message_of<NameError>([] { return parse("exp(1:2)"); }).find("exp is a function"),
              std::string::npos);
}

TEST(Parts, OutsideOfTheSizeAreErrors) {
    const Case cases[] = {
        {"X(4,:)", "X is 3-by-5: found row 4; rows count from 1 to 3", "X=3,5"},
        {"X(:,2:6)", "X is 3-by-5: found column 6; columns count from 1 to 5", "X=3,5"},
        {"X(0,:)", "X is m-by-n: found row 0; rows count from 1 to m"},
        {"x(0)", "x is m-by-1: found row 0; rows count from 1 to m"},
        {"X(3:2,:)", "X is m-by-n: found rows 3:2; a range ends where it begins, or later"},
        {"X(2:k,:)", "X(2:k,:): found 2:k; a range to a named size begins at 1"},
        {"X(2)",
         "X(2): X is m-by-n, found 1 index; a vector has one, a matrix has two, as in X(2,:)"},
        {"X(1,2,3)",
         "X(1,2,3): X is m-by-n, found 3 indices; a vector has one, a matrix has two, as in "
         "X(2,:)"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(message_of<ShapeError>([&c] { return read(c); }), c.expected) << c.text;
    }
    EXPECT_NE(message_of<ParseError>([] {
                  return parse("X(i,:)");
              }).find("an index is a whole number, as in X(2,:)"),
              std::string::npos);
    EXPECT_NE(
        message_of<ParseError>([] { return parse("x(1:99999999999999999999)"); }).find("too large"),
        std::string::npos);
}

TEST(Cholesky, NeedsAMatrixThatIsKnownToBeSymmetric) {
    EXPECT_EQ(to_text(parse("chol(X'*X)")), "chol(X'*X)");
    EXPECT_EQ(message_of<UnsupportedError>([] { return parse("chol(A)"); }),
              "chol: A is m-by-m, expected a matrix that is known to be symmetric: "
              "declared, as in S=n,n:spd, or built so, as X'*X");
}

}  // namespace
}  // namespace matgrad
