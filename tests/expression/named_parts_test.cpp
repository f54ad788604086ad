// Repeated parts of an expression get names.

#include <gtest/gtest.h>

#include "matgrad/build.hpp"

namespace matgrad {
namespace {

/// `REST where NAME = VALUE, ...`
std::string named(std::string_view text, std::initializer_list<Declaration> declarations = {}) {
    const NamedParts parts = name_repeated_parts(parse(text, declarations));
    std::string result = to_text(parts.rest);
    for (const NamedPart& p : parts.parts) {
        result += ", " + to_text(p.name) + " = " + to_text(p.value);
    }
    return result;
}

TEST(NamedParts, AreInversesAndLargePartsThatRepeat) {
    EXPECT_EQ(named("(inv(A + X*X')' - inv(A + X*X')'^2 + inv(A + X*X') - inv(A + X*X')^2)*X"),
              "(Y' - Y'^2 + Y - Y^2)*X, Y = inv(A + X*X')");
    EXPECT_EQ(named("inv(K + s*eye(n))*y*y'*inv(K + s*eye(n)) - inv(K + s*eye(n))",
                    {"K=n,n:spd", "s=1:pos"}),
              "Y*y*y'*Y - Y, Y = inv(K + s*eye(n))");
    EXPECT_EQ(named("exp(A*x - b + sin(A*x)).*(1 + exp(A*x - b + sin(A*x)))"),
              "y.*(1 + y), y = exp(A*x - b + sin(A*x))");
    EXPECT_EQ(named("sum(exp(A*x - b + sin(A*x)))*y + sum(exp(A*x - b + sin(A*x)))^2*z"),
              "c*y + c^2*z, c = sum(exp(A*x - b + sin(A*x)))");
}

TEST(NamedParts, MayHaveTheNamesOfThoseBefore) {
    EXPECT_EQ(named("cosh(tr(inv(A + X*X')*B*inv(A + X*X')))*C/"
                    "(1 + cosh(tr(inv(A + X*X')*B*inv(A + X*X'))))"),
              "c*C/(1 + c), Y = inv(A + X*X'), c = cosh(tr(Y*B*Y))");
}

TEST(NamedParts, AreNotWhatReadsWellAsItIs) {
    EXPECT_EQ(named("inv(S)*x*x'*inv(S) - inv(S)"), "inv(S)*x*x'*inv(S) - inv(S)");
    EXPECT_EQ(named("2*X*inv(X'*X)"), "2*X*inv(X'*X)");
    EXPECT_EQ(named("(A*x - b)*(A*x - b)'"), "(A*x - b)*(A*x - b)'");
}

TEST(NamedParts, GetNamesThatNobodyHas) {
    // Y is a symbol, Z a dimension, and dW would be the differential of W.
    EXPECT_EQ(named("inv(A + Y)*dW*B*inv(A + Y)", {"A=Z,Z", "B=Z,Z", "dW=Z,Z", "Y=Z,Z"}),
              "V*dW*B*V, V = inv(A + Y)");
    const Expr e = parse("inv(A + X*X')*B*inv(A + X*X')");
    const Declaration taken[] = {"Y=m,n"};
    EXPECT_EQ(to_text(name_repeated_parts(e, taken).rest), "Z*B*Z");
}

}  // namespace
}  // namespace matgrad
