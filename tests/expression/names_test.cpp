// What a name stands for, and which names are refused.

#include <gtest/gtest.h>

#include <sstream>

#include "expression/foreign_functions.hpp"
#include "expression/functions.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

std::string name_error(const std::string& text, const std::string& declarations = "") {
    return message_of<NameError>([&] { return parse(text, parse_declarations(declarations)); });
}

TEST(Names, TheFirstLetterDecidesWhatIsUndeclared) {
    EXPECT_EQ(parse("A").shape().text(), "m-by-n");
    EXPECT_EQ(parse("a").shape().text(), "m-by-1");
    EXPECT_EQ(parse("Abc_1").shape().text(), "m-by-n");
    EXPECT_EQ(parse("xAB").shape().text(), "m-by-1");
}

TEST(Names, ADeclarationWins) {
    EXPECT_TRUE(parse("A", parse_declarations("A=1")).shape().is_scalar());
    EXPECT_EQ(parse("a", parse_declarations("a=n,k")).shape().text(), "n-by-k");
    EXPECT_EQ(parse("AX", parse_declarations("AX=m,n"))->name, "AX");
}

TEST(Names, TwoCapitalsMustBeDeclared) {
    EXPECT_EQ(name_error("tr(AX)"),
              "AX is not declared; did you mean A*X? A name that starts with two capitals must be "
              "declared, as in AX=m,n");
    EXPECT_NE(name_error("AXB").find("A*X*B"), std::string::npos);
    EXPECT_EQ(parse("tr(A2X)")->op, Op::trace);
}

TEST(Names, AFunctionIsNoSymbolUnlessDeclared) {
    EXPECT_EQ(name_error("exp + 1"),
              "exp is a function: write exp(...), or declare exp as a symbol");
    EXPECT_EQ(parse("exp + 1", parse_declarations("exp=m,n")).shape().text(), "m-by-n");
    EXPECT_EQ(name_error("exp(A)", "exp=m,n A=m,n"),
              "exp is declared as a symbol and cannot be called; a product is written exp*(...)");
    EXPECT_EQ(name_error("x(A)", "x=1"),
              "x is declared as a symbol and cannot be called; a product is written x*(...)");
}

TEST(Names, AnUnknownFunctionSuggestsTheNearest) {
    EXPECT_EQ(name_error("trace(A)"), "there is no function trace; did you mean tr?");
    EXPECT_EQ(name_error("lgdet(A)"), "there is no function lgdet; did you mean logdet?");
    EXPECT_EQ(name_error("lanczos(x)"),
              "there is no function lanczos; a product is written lanczos*(...)");
    EXPECT_EQ(name_error("sigmoyd(A)"), "there is no function sigmoyd; did you mean sigmoid?");
    EXPECT_EQ(name_error("A(B + C)"), "there is no function A; a product is written A*(...)");
}

TEST(Names, WhatOtherLanguagesCallAFunctionIsUnderstood) {
    EXPECT_EQ(name_error("maximum(A,B)"), "there is no function maximum; did you mean max?");
    EXPECT_EQ(name_error("fmin(A,B)"), "there is no function fmin; did you mean min?");
    EXPECT_EQ(name_error("gammaln(A)"), "there is no function gammaln; did you mean lgamma?");
    EXPECT_EQ(name_error("psi(A)"), "there is no function psi; did you mean digamma?");
    EXPECT_EQ(name_error("log_ndtr(A)"), "there is no function log_ndtr; did you mean lognormcdf?");
    EXPECT_EQ(name_error("clamp(A,0,1)"), "there is no function clamp; did you mean clip?");
    EXPECT_EQ(name_error("arctan(A)"), "there is no function arctan; did you mean atan?");
    EXPECT_EQ(name_error("max'*x"),
              "max is a function: write max(...), or declare max as a symbol");
    EXPECT_TRUE(parse("max*A", parse_declarations("max=1")).shape().cols.name == "n");
}

TEST(Names, ASuggestionNeverIsAnotherFunction) {
    EXPECT_EQ(name_error("tr(expm(A))"),
              "there is no function expm; the exponential of a matrix is not in the language, and "
              "exp(A) is that of each entry; tr(expm(A)) is nearly tr((eye(n) + A/64)^64)");
    EXPECT_EQ(
        name_error("sum(pinv(A))"),
        "there is no function pinv; of A with independent columns it is inv(A'*A)*A', of A with "
        "independent rows A'*inv(A*A')");
    EXPECT_EQ(name_error("asin(x)"),
              "there is no function asin; it is written atan(A./sqrt(1 - A.^2))");
    for (const char* name :
         {"sqrtm", "logm", "svd", "eig", "nuc", "vec", "kron", "cov", "betaln"}) {
        const std::string message = name_error(std::string(name) + "(A)");
        EXPECT_EQ(message.find("did you mean"), std::string::npos) << message;
        EXPECT_EQ(message.find("a product is written"), std::string::npos) << message;
    }
    EXPECT_EQ(name_error("seg(A)"), "there is no function seg; a product is written seg*(...)");
}

TEST(Names, NoForeignFunctionIsOneOfTheLanguage) {
    for (const detail::ForeignFunction& row : detail::foreign_functions()) {
        std::istringstream words{std::string(row.names)};
        for (std::string word; words >> word;) {
            EXPECT_EQ(detail::find_function(word), nullptr) << word;
            EXPECT_EQ(detail::answer_for_function(word), row.answer) << word;
        }
    }
}

TEST(Names, FunctionsTakeAFixedNumberOfArguments) {
    EXPECT_EQ(name_error("max(A)"), "max takes 2 arguments, found 1");
    EXPECT_EQ(name_error("where(A,B)"), "where takes 3 arguments, found 2");
    EXPECT_EQ(name_error("erf(A,B)"), "erf takes 1 argument, found 2");
    EXPECT_EQ(name_error("tr(A,B)"), "tr takes 1 argument, found 2");
    EXPECT_EQ(name_error("dot(A)"), "dot takes 2 arguments, found 1");
    EXPECT_EQ(name_error("ones(n)"), "ones takes 2 arguments, found 1");
    EXPECT_EQ(name_error("eye(n,n)"), "eye takes 1 argument, found 2");
}

TEST(Names, TheDifferentialOfASymbolIsReserved) {
    EXPECT_EQ(name_error("tr(X'*dX)"), "dX is reserved for the differential of X");
    EXPECT_EQ(name_error("dx'*x"), "dx is reserved for the differential of x");
    EXPECT_EQ(name_error("tr(X'*dX)", "dX=m,n"), "dX is reserved for the differential of X");
    EXPECT_TRUE(parse("dX'*y").shape().is_scalar());  // without X it is a column like any other
}

TEST(Names, OneNameIsDeclaredOnce) {
    EXPECT_EQ(name_error("X", "X=m,n X=m,k"), "X is declared twice: X=m,n and X=m,k");
    EXPECT_EQ(name_error("X", "X=n,n X=n,n:sym"), "X is declared twice: X=n,n and X=n,n:sym");
    EXPECT_EQ(parse("X", parse_declarations("X=m,n X=m,n")).shape().text(), "m-by-n");
}

TEST(Names, MalformedDeclarationsOfACallerAreRefused) {
    const auto error = [](const Declaration& d) {
        return message_of<NameError>([&] { return parse("A", std::vector<Declaration>{d}); });
    };
    EXPECT_EQ(error({"1x", Shape::scalar(), Structure::general}),
              "the name 1x is malformed: a letter, then letters, digits or _");
    EXPECT_EQ(error({"x", {Dim::named("n n"), Dim::literal(1)}, Structure::general}),
              "declaration x: the dimension n n is malformed: a letter, then letters, digits or _");
}

struct DeclarationCase {
    const char* text;
    const char* canonical;
};

TEST(Declaration, IsReadAndWritten) {
    const DeclarationCase cases[] = {
        {"X=m,n", "X=m,n"},
        {" X = m , n ", "X=m,n"},
        {"x=n", "x=n"},
        {"x=n,1", "x=n"},
        {"t=1", "t=1"},
        {"s=1:pos", "s=1:pos"},
        {"s=1:spd", "s=1:pos"},
        {"r=1,n", "r=1,n"},
        {"X=3,4", "X=3,4"},
        {"S=n,n:spd", "S=n,n:spd"},
        {"S=n,n : sym", "S=n,n:sym"},
        {"D=3,3:diag", "D=3,3:diag"},
        {"L=n,n:lower", "L=n,n:lower"},
        {"U=n,n:upper", "U=n,n:upper"},
        {"Q=m,n:orth", "Q=m,n:orth"},
        {"exp=n", "exp=n"},
        {"AB=d1,d2", "AB=d1,d2"},
    };
    for (const DeclarationCase& c : cases) {
        const Declaration d = parse_declaration(c.text);
        EXPECT_EQ(to_text(d), c.canonical);
        EXPECT_EQ(parse_declaration(to_text(d)), d) << c.text;
    }
}

TEST(Declaration, SyntaxErrorsPointAtThePlace) {
    struct Case {
        const char* text;
        std::size_t position;
        const char* expected;
    };
    const Case cases[] = {
        {"", 0, "expected a name at position 0, found the end"},
        {"X", 1, "expected = at position 1, found the end"},
        {"X:m,n", 1, "expected = at position 1, found :"},
        {"X=", 2, "expected a dimension (a name or a number) at position 2, found the end"},
        {"X=m,", 4, "expected a dimension (a name or a number) at position 4, found the end"},
        {"X=m,n,p", 5, "expected the end at position 5, found ,"},
        {"X=m n", 4, "expected the end at position 4, found n"},
        {"X=-1", 2, "expected a dimension (a name or a number) at position 2, found -"},
        {"X=n,n:", 6, "expected a structure at position 6, found the end"},
        {"X=2.5", 3, "expected the end at position 3, found ."},
    };
    for (const Case& c : cases) {
        try {
            (void)parse_declaration(c.text);
            ADD_FAILURE() << c.text << " was accepted";
        } catch (const ParseError& e) {
            EXPECT_EQ(e.position(), c.position) << c.text;
            EXPECT_NE(std::string(e.what()).find(c.expected), std::string::npos) << e.what();
        }
    }
}

TEST(Declaration, RefusesWhatCannotBe) {
    const auto shape = [](const char* text) {
        return message_of<ShapeError>([&] { return parse_declaration(text); });
    };
    EXPECT_EQ(shape("S=m,n:spd"), "declaration S=m,n:spd: spd needs a square matrix, S is m-by-n");
    EXPECT_EQ(shape("x=n:sym"), "declaration x=n:sym: sym needs a square matrix, x is n-by-1");
    EXPECT_EQ(shape("X=0,n"), "declaration X=0,n: a size must be at least 1, found 0");
    EXPECT_EQ(shape("X=99999999999999999999,n"),
              "declaration X=99999999999999999999,n: the size 99999999999999999999 is too large");
    EXPECT_EQ(message_of<NameError>([] { return parse_declaration("S=n,n:psd"); }),
              "declaration S=n,n:psd: there is no structure psd; it is one of sym spd diag lower "
              "upper orth pos");
    EXPECT_EQ(message_of<NameError>([] { return parse_declaration("_X=n"); }),
              "the name _X is malformed: a letter, then letters, digits or _");
    EXPECT_EQ(message_of<NameError>([] { return parse_declaration("X=_n"); }),
              "declaration X: the dimension _n is malformed: a letter, then letters, digits or _");
}

}  // namespace
}  // namespace matgrad
