// Repeated parts of an expression get names.

#include <gtest/gtest.h>

#include "matgrad/build.hpp"
#include "message.hpp"

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
    EXPECT_EQ(named("cosh(tr(inv(A + X*X')*B*inv(A + X*X')*B'*B))*C/"
                    "(1 + cosh(tr(inv(A + X*X')*B*inv(A + X*X')*B'*B)))"),
              "c*C/(1 + c), Y = inv(A + X*X'), c = cosh(tr(Y*B*Y*B'*B))");
}

TEST(NamedParts, AreNotWhatReadsWellAsItIs) {
    EXPECT_EQ(named("inv(S)*x*x'*inv(S) - inv(S)"), "inv(S)*x*x'*inv(S) - inv(S)");
    EXPECT_EQ(named("2*X*inv(X'*X)"), "2*X*inv(X'*X)");
    EXPECT_EQ(named("(A*x - b)*(A*x - b)'"), "(A*x - b)*(A*x - b)'");
}

TEST(NamedParts, HaveTheNamesThatAreKnown) {
    const Reading r = read_text("K = A*A' + eye(m); a = K\\y; a'*B*a + tr(K)");
    const Expr e = parse("inv(A*A' + eye(m))*y*y'*inv(A*A' + eye(m)) - inv(A*A' + eye(m))");
    EXPECT_EQ(to_text(name_repeated_parts(e, {}, r.parts)),
              "K = A*A' + eye(m);\nY = inv(K);\na = Y*y;\na*a' - Y");
    const NamedPart own = named_part("P", parse("A*A' + eye(m)"));
    EXPECT_EQ(to_text(name_repeated_parts(parse("tr(B*(A*A' + eye(m)))"), {}, {&own, 1})),
              "P = A*A' + eye(m);\ntr(B*P)");
    EXPECT_EQ(message_of<NameError>([&] {
                  return name_repeated_parts(parse("P + A"), {}, {&own, 1});
              }),
              "name_repeated_parts: P is the name of a part and of a symbol");
}

TEST(NamedParts, AreSharedByExpressions) {
    const Expr both[] = {parse("inv(A + X*X')*X", {"A=m,m"}), parse("y'*inv(A + X*X')", {"A=m,m"})};
    const NamedForms named = name_repeated_parts(both);
    ASSERT_EQ(named.parts.size(), 1U);
    EXPECT_EQ(to_text(named.parts[0]), "Y = inv(A + X*X')");
    EXPECT_EQ(to_text(named.forms[0]), "Y*X");
    EXPECT_EQ(to_text(named.forms[1]), "y'*Y");
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
