// Expressions built in C++ are those that are read from text; what does not fit is explained.

#include "matgrad/build.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "expression/functions.hpp"
#include "message.hpp"

namespace matgrad {
namespace {

const Expr kA = symbol("A=m,n");
const Expr kB = symbol("B=m,n");
const Expr kS = symbol("S=n,n");
const Expr kP = symbol("P=n,n:spd");
const Expr kx = symbol("x=n");
const Expr ks = symbol("s=1:pos");

const std::vector<Declaration> kDeclarations{"A=m,n", "B=m,n",   "S=n,n", "P=n,n:spd",
                                             "x=n",   "s=1:pos", "c=m",   "r=1,n"};

Expr read(std::string_view text) {
    return parse(text, kDeclarations);
}

struct Built {
    const char* text;
    Expr expr;
};

TEST(Built, IsWhatIsReadFromTheText) {
    const Built cases[] = {
        {"A + B", kA + kB},
        {"A - B", kA - kB},
        {"-A", -kA},
        {"A*x", kA * kx},
        {"A*S", kA * kS},
        {"s*A", ks * kA},
        {"A/s", kA / ks},
        {"s/A", ks / kA},
        {"A + s", kA + ks},
        {"2*A", 2 * kA},
        {"2*A", kA * 2},
        {"A/2", kA / 2},
        {"1/A", 1 / kA},
        {"A + 1", kA + 1},
        {"1 + A", 1 + kA},
        {"A - 0.5", kA - 0.5},
        {"1 - A", 1 - kA},
        {"A.*B", entry_times(kA, kB)},
        {"A./B", entry_divide(kA, kB)},
        {"A.^-2", entry_power(kA, -2)},
        {"S^3", pow(kS, 3)},
        {"S^-2", pow(kS, -2)},
        {"S^0", pow(kS, 0)},
        {"s^0.5", pow(ks, 0.5)},
        {"A'", transpose(kA)},
        {"A + ones(m,n)", kA + ones("m", "n")},
        {"S + s*eye(n)", kS + ks * eye("n")},
        {"ones(2,3)", ones(2, 3)},
        {"eye(4)", eye(4)},
        {"dim(n)*dim(3)", 3 * dim("n")},
        {"A - c", kA - symbol("c=m")},
        {"c - A", symbol("c=m") - kA},
        {"A.*r", entry_times(kA, symbol("r=1,n"))},
        {"r./A", entry_divide(symbol("r=1,n"), kA)},
        {"max(A, c)", max(kA, symbol("c=m"))},
        {"softmax(x)", softmax(kx)},
        {"cumsum(x)", cumsum(kx)},
        {"cumsum(x')", cumsum(transpose(kx))},
        {"A(2,:)", part(kA, 2, {})},
        {"A(:,1:3)", part(kA, {}, {1, 3})},
        {"S(2:3,1:k)", part(kS, {2, 3}, {1, "k"})},
        {"x(2)", part(kx, 2)},
        {"x'(1:2)", part(transpose(kx), {1, 2})},
        {"max(A, 0.5)", max(kA, 0.5)},
        {"max(0.5, A)", max(0.5, kA)},
        {"min(A, 1)", min(kA, 1)},
        {"min(1, A)", min(1, kA)},
        {"A < 0.5", less(kA, 0.5)},
        {"0.5 <= A", less_equal(0.5, kA)},
        {"where(A < s, A, 1)", where(less(kA, ks), kA, number(1))},
        {"clip(A, 0, 1)", clip(kA, 0, 1)},
        {"polygamma(2, A)", polygamma(2, kA)},
        {"A.^s", entry_power(kA, ks)},
        {"where(A, 0, A)", unmask(kA, kA)},
        {"where(S < P, S, 0)", mask(kS, less(kS, kP))},
        {"diag(x)", diag(kx)},
        {"diag(S)", diag(kS)},
        {"log(det(P))", log(det(kP))},
        {"log(sum(exp(x)))", log(sum(exp(kx)))},
        {"0.5*norm2(A*x)^2", 0.5 * pow(norm2(kA * kx), 2)},
        {"-logdet(P) + tr(S*P) + 0.1*norm2(P)^2",
         -logdet(kP) + tr(kS * kP) + 0.1 * pow(norm2(kP), 2)},
    };
    for (const Built& c : cases) {
        EXPECT_EQ(c.expr, read(c.text)) << c.text << ": " << to_text(c.expr);
    }
}

TEST(Built, HasEveryFunctionOfTheLanguage) {
    std::set<std::string_view> built{"eye",    "ones",  "dim",  "softmax",
                                     "cumsum", "where", "clip", "polygamma"};  // in the table above
    const Built cases[] = {
        {"inv", inv(kS)},
        {"det", det(kS)},
        {"logdet", logdet(kS)},
        {"tr", tr(kS)},
        {"diag", diag(kS)},
        {"dot", dot(kS, kS)},
        {"sum", sum(kS)},
        {"rowsum", rowsum(kS)},
        {"colsum", colsum(kS)},
        {"norm2", norm2(kS)},
        {"norm1", norm1(kS)},
        {"logsumexp", logsumexp(kS)},
        {"rownorm2", rownorm2(kS)},
        {"colnorm2", colnorm2(kS)},
        {"rowlogsumexp", rowlogsumexp(kS)},
        {"collogsumexp", collogsumexp(kS)},
        {"rows", rows(kS)},
        {"cols", cols(kS)},
        {"mean", mean(kS)},
        {"var", var(kS)},
        {"rowmean", rowmean(kS)},
        {"colmean", colmean(kS)},
        {"rowsoftmax", rowsoftmax(kS)},
        {"colsoftmax", colsoftmax(kS)},
        {"rowcumsum", rowcumsum(kS)},
        {"colcumsum", colcumsum(kS)},
        {"tril", tril(kS)},
        {"triu", triu(kS)},
        {"max", max(kS, kP)},
        {"min", min(kS, kP)},
        {"exp", exp(kS)},
        {"log", log(kS)},
        {"sqrt", sqrt(kS)},
        {"abs", abs(kS)},
        {"sign", sign(kS)},
        {"step", step(kS)},
        {"sin", sin(kS)},
        {"cos", cos(kS)},
        {"tanh", tanh(kS)},
        {"sigmoid", sigmoid(kS)},
        {"softplus", softplus(kS)},
        {"relu", relu(kS)},
        {"tan", tan(kS)},
        {"atan", atan(kS)},
        {"log1p", log1p(kS)},
        {"expm1", expm1(kS)},
        {"cosh", cosh(kS)},
        {"sinh", sinh(kS)},
        {"erf", erf(kS)},
        {"asinh", asinh(kS)},
        {"acosh", acosh(kS)},
        {"atanh", atanh(kS)},
        {"normcdf", normcdf(kS)},
        {"lognormcdf", lognormcdf(kS)},
        {"normhazard", normhazard(kS)},
        {"normexcess", normexcess(kS)},
        {"lgamma", lgamma(kS)},
        {"digamma", digamma(kS)},
        {"trigamma", trigamma(kS)},
        {"xlogy", xlogy(kS, kP)},
        {"solve", solve(kS, kP)},
        {"rowmax", rowmax(kS)},
        {"colmax", colmax(kS)},
        {"isrowmax", isrowmax(kS)},
        {"iscolmax", iscolmax(kS)},
    };
    for (const Built& c : cases) {
        built.insert(c.text);
        const bool pair = detail::find_function(c.text)->arity == 2;
        const std::string second = std::string(c.text) == "dot" ? "S" : "P";
        EXPECT_EQ(c.expr, read(c.text + ("(S" + (pair ? ", " + second : "")) + ")")) << c.text;
    }
    EXPECT_EQ(chol(kP), read("chol(P)"));  // of symmetric ones alone
    built.insert("chol");
    for (const detail::Function& f : detail::functions()) {
        EXPECT_TRUE(built.contains(f.name)) << f.name;
    }
}

TEST(Built, LossesGrowInALoop) {
    Expr loss = norm2(kA * kx);
    loss += 2 * sum(kx);
    loss -= det(kS);
    EXPECT_EQ(loss, read("norm2(A*x) + 2*sum(x) - det(S)"));
}

TEST(Built, ComposesWithWhatWasRead) {
    const Expr f = parse("-logdet(P) + tr(C*P)", {"P=n,n:spd", "C=n,n:sym"});
    EXPECT_EQ(f + 0.1 * pow(norm2(kP), 2),
              parse("-logdet(P) + tr(C*P) + 0.1*norm2(P)^2", {"P=n,n:spd", "C=n,n:sym"}));
    // The symbols of one expression declare those of another.
    const Expr g = parse("norm2(A*x - b)^2");
    EXPECT_EQ(g + parse("norm2(x)^2", symbols(g)), parse("norm2(A*x - b)^2 + norm2(x)^2"));
}

TEST(Built, TwoSymbolsOfOneNameAreAnErrorThatNamesBoth) {
    EXPECT_EQ(message_of<ShapeError>([] { return sum(kx) + norm2(symbol("x=m")); }),
              "two symbols are called x: x=n is n-by-1, x=m is m-by-1; one name has one shape");
    EXPECT_EQ(message_of<NameError>([] { return kP * symbol("P=n,n"); }),
              "two symbols are called P: P=n,n:spd and P=n,n; one name has one structure");
    EXPECT_EQ(message_of<NameError>([] { return dot(kP, symbol("P=n,n")); }),
              "two symbols are called P: P=n,n:spd and P=n,n; one name has one structure");
    EXPECT_EQ(message_of<NameError>([] { return tr(symbol("dA=n,m") * kA); }),
              "dA is reserved for the differential of A");
    // Also where one of them is far down, and among many.
    Expr many = number(0);
    for (int i = 0; i < 40; ++i) {
        many += sum(symbol({"y" + std::to_string(i), {"n", 1}}));
    }
    EXPECT_EQ(symbols(many).size(), 40U);
    EXPECT_THROW((void)(sin(exp(many)) + symbol("y39=1")), ShapeError);
}

TEST(Built, WhatDoesNotFitIsNamedWithBothShapes) {
    EXPECT_EQ(message_of<ShapeError>([] { return kA * kB; }),
              "*: A is m-by-n, B is m-by-n; columns of A (n) must equal rows of B (m)");
    EXPECT_EQ(message_of<ShapeError>([] { return kA + kx; }),
              "+: A is m-by-n, x is n-by-1; both must have one shape");
    EXPECT_EQ(message_of<ShapeError>([] { return kA - kS; }),
              "-: A is m-by-n, S is n-by-n; both must have one shape");
    EXPECT_EQ(message_of<ShapeError>([] { return kA / kB; }),
              "/: A is m-by-n, B is m-by-n; only a scalar divides or is divided by /; use a*inv(b) "
              "for the inverse or entry_divide(a, b) for each entry");
    EXPECT_EQ(message_of<ShapeError>([] { return entry_times(kA, kS); }),
              "entry_times: A is m-by-n, S is n-by-n; both must have one shape");
    EXPECT_EQ(message_of<ShapeError>([] { return max(kA, kS); }),
              "max: A is m-by-n, S is n-by-n; both must have one shape");
    EXPECT_EQ(message_of<ShapeError>([] { return dot(kA, kS); }), "dot of m-by-n and n-by-n");
    EXPECT_EQ(message_of<ShapeError>([] { return inv(kA); }),
              "inv: A is m-by-n, expected a square matrix");
    EXPECT_EQ(message_of<ShapeError>([] { return tr(kA + 1); }),
              "tr: A + 1 is m-by-n, expected a square matrix");
    EXPECT_EQ(message_of<ShapeError>([] { return diag(kA); }),
              "diag: A is m-by-n; diag needs a column vector or a square matrix");
    EXPECT_EQ(message_of<ShapeError>([] { return pow(kA, 2); }),
              "pow: A is m-by-n, expected a square matrix");
    EXPECT_EQ(message_of<UnsupportedError>([] { return pow(kS, 0.5); }),
              "pow: S is n-by-n, the exponent of a matrix is a whole number from -64 to 64, found "
              "0.5; each entry alone is raised by entry_power");
    EXPECT_EQ(message_of<ShapeError>([] { return eye(0); }),
              "eye: a size must be at least 1, found 0");
    EXPECT_EQ(message_of<NameError>([] { return ones("m n", 1); }),
              "ones: the dimension m n is malformed: a letter, then letters, digits or _");
    EXPECT_THROW((void)symbol("X=m,n:spd"), ShapeError);
    EXPECT_THROW((void)symbol("X"), ParseError);
    EXPECT_EQ(
        message_of<UnsupportedError>([] { return kA * std::numeric_limits<double>::quiet_NaN(); }),
        "a constant is not finite: nan");
}

TEST(Built, AnEmptyExprIsAnErrorOfOneLine) {
    const Expr none;
    EXPECT_FALSE(none);
    EXPECT_EQ(message_of<CallerError>([&] { return none + kA; }),
              "+: found an empty Expr, expected an expression (of parse or build.hpp)");
    const std::vector<std::string> messages{
        message_of<CallerError>([&] { return kA + none; }),
        message_of<CallerError>([&] { return none - kA; }),
        message_of<CallerError>([&] { return -none; }),
        message_of<CallerError>([&] { return kA * none; }),
        message_of<CallerError>([&] { return none / 2; }),
        message_of<CallerError>([&] { return entry_times(none, kA); }),
        message_of<CallerError>([&] { return entry_divide(kA, none); }),
        message_of<CallerError>([&] { return entry_power(none, 2); }),
        message_of<CallerError>([&] { return pow(none, 2); }),
        message_of<CallerError>([&] { return transpose(none); }),
        message_of<CallerError>([&] { return dot(kA, none); }),
        message_of<CallerError>([&] { return exp(none); }),
        message_of<CallerError>([&] { return max(none, 0); }),
        message_of<CallerError>([&] { return inv(none); }),
        message_of<CallerError>([&] { return none.shape(); }),
        message_of<CallerError>([&] { return symbols(none); }),
        message_of<CallerError>([&] { return to_text(none); }),
        message_of<CallerError>([&] { return to_latex(none); }),
        message_of<CallerError>([&] { return to_numpy(none); }),
        message_of<CallerError>([&] { return to_numpy_function(none, "f"); }),
        message_of<CallerError>([&] { return name_repeated_parts(none); }),
    };
    for (const std::string& message : messages) {
        EXPECT_NE(message.find("empty Expr"), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
    EXPECT_EQ(none, Expr());
    EXPECT_FALSE(none == kA);
}

TEST(Built, KeepsTheLimitsOfTheLanguage) {
    EXPECT_EQ(message_of<UnsupportedError>([] {
                  Expr deep = kx;
                  for (int i = 0; i < 1'000'000; ++i) {
                      deep = sin(deep);
                  }
                  return deep;
              }),
              "sin: the expression is more than 1000 operations deep");
    EXPECT_EQ(message_of<UnsupportedError>([] {
                  Expr wide = kS * kP;
                  for (int i = 0; i < 30; ++i) {
                      wide = wide * wide;
                  }
                  return wide;
              }),
              "*: the product has 1024 matrix factors, the limit is 512");
}

TEST(Parse, TakesDeclarationsInAnyForm) {
    const Expr expected = parse("logdet(P)", std::vector{parse_declaration("P=n,n:spd")});
    EXPECT_EQ(symbols(expected).front().structure, Structure::positive);
    EXPECT_EQ(parse("logdet(P)", {parse_declaration("P=n,n:spd")}), expected);
    EXPECT_EQ(parse("logdet(P)", {"P=n,n:spd"}), expected);
    EXPECT_EQ(parse("logdet(P)", {"P=n,n:spd", "S=n,n:sym"}), expected);
    EXPECT_EQ(parse("logdet(P)", {"P=n,n:spd", "S=n,n", "T=n,n"}), expected);
    EXPECT_EQ(parse("logdet(P)", {parse_declaration("P=n,n:spd"), "S=n,n:sym"}), expected);
    EXPECT_EQ(parse("logdet(P)", {{"P", {"n", "n"}, Structure::positive}}), expected);
    EXPECT_EQ(parse("logdet(P)", {std::string("P=n,n:spd")}), expected);
    EXPECT_EQ(parse("logdet(P)", std::vector<std::string>{"P=n,n:spd"}), expected);
    EXPECT_EQ(parse("logdet(P)", std::vector<Declaration>{"P=n,n:spd"}), expected);
    EXPECT_EQ(parse("logdet(P)", std::array{parse_declaration("P=n,n:spd")}), expected);
    const Declaration array[] = {"P=n,n:spd"};
    EXPECT_EQ(parse("logdet(P)", array), expected);
    EXPECT_EQ(parse("logdet(P)", std::span<const Declaration>(array)), expected);
    EXPECT_EQ(parse("logdet(P)", symbols(expected)), expected);
    EXPECT_EQ(parse("logdet(P)", {}), parse("logdet(P)"));
    EXPECT_EQ(message_of<NameError>([] { return parse("P", {"P=n,n:odd"}); }),
              "declaration P=n,n:odd: there is no structure odd; it is one of sym spd diag lower "
              "upper orth pos");
}

TEST(Declaration, OfAPositiveScalarIsPos) {
    const Declaration s = parse_declaration("s=1:pos");
    EXPECT_EQ(s, parse_declaration("s=1:spd"));
    EXPECT_EQ(to_text(s), "s=1:pos");
    EXPECT_EQ(parse_declaration(to_text(s)), s);
    EXPECT_EQ(message_of<ShapeError>([] { return parse_declaration("S=n,n:pos"); }),
              "declaration S=n,n:pos: pos needs a scalar, S is n-by-n; a positive definite matrix "
              "is spd");
    // What is known of it: |s| is s.
    EXPECT_EQ(to_text(parse("abs(s)", {"s=1:pos"})), "s");
}

}  // namespace
}  // namespace matgrad
