// The grammar: what binds to what, and what a text that is no expression is told.

#include <gtest/gtest.h>

#include <string>

#include "expression/build.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct SameCase {
    const char* text;
    const char* same_as;  // written with every bracket
    const char* declarations = "";
};

const SameCase kBinding[] = {
    {"A^2'", "(A^2)'"},
    {"-A^2", "-(A^2)"},
    {"A'^2", "(A')^2"},
    {"A*B'", "A*(B')"},
    {"-A*B", "(-A)*B"},
    {"A*-B", "A*(-B)"},
    {"A - B - C", "(A - B) - C"},
    {"A - (B - C)", "A - B + C"},
    {"A + B*C", "A + (B*C)"},
    {"A*B.*C", "(A*B).*C"},
    {"A.*B*C", "(A.*B)*C"},
    {"A./B./C", "(A./B)./C"},
    {"s/t/u", "(s/t)/u", "s=1 t=1 u=1"},
    {"s/t*u", "(s/t)*u", "s=1 t=1 u=1"},
    {"A*B/s", "(A*B)/s", "s=1"},
    {"--A", "A"},
    {"---A", "-A"},
    {"A--B", "A+B"},
    {"A - -B", "A + B"},
    {"A''", "A"},
    {"A'''", "A'"},
    {"A.^2'", "(A.^2)'"},
    {"A.^2.*B", "(A.^2).*B"},
    {"A^-1", "inv(A)"},
    {"A^(-1)", "inv(A)"},
    {"A^( -2 )", "inv(A)*inv(A)"},
    {"A^3", "A*A*A"},
    {"A^0", "eye(n)", "A=n,n"},
    {"t^-2", "1/(t*t)", "t=1"},
    {"s/A", "s./A", "s=1"},
    {"s.*A", "s*A", "s=1"},
    {"A./s", "A/s", "s=1"},
    {"A.^2", "A.*A"},
    {"A.^-1", "1./A"},
    {"  A\t*\n B\r\n", "A*B"},
    {"A '", "A'"},
    {"logdet ( A )", "logdet(A)"},
};

TEST(Parser, BindsAsTheLanguageSays) {
    for (const SameCase& c : kBinding) {
        EXPECT_EQ(parse(c.text, parse_declarations(c.declarations)),
                  parse(c.same_as, parse_declarations(c.declarations)))
            << c.text << " is not " << c.same_as;
    }
}

const SameCase kDifferent[] = {
    {"A*B", "B*A", "A=n,n B=n,n"},
    {"-A.^2", "(-A).^2"},
    {"A^2", "A.^2", "A=n,n"},
    {"(A.*B)*C", "A.*(B*C)"},
    {"A - B - C", "A - (B - C)"},
    {"A'*B", "A*B'", "A=n,n B=n,n"},
    {"s/t/u", "s/(t/u)", "s=1 t=1 u=1"},
};

TEST(Parser, KeepsDifferentThingsApart) {
    for (const SameCase& c : kDifferent) {
        EXPECT_FALSE(parse(c.text, parse_declarations(c.declarations)) ==
                     parse(c.same_as, parse_declarations(c.declarations)))
            << c.text << " against " << c.same_as;
    }
}

struct NumberCase {
    const char* text;
    double value;
};

const NumberCase kNumbers[] = {
    {"2", 2},           {"2.5", 2.5},
    {".5", 0.5},        {"2.", 2},
    {"1e-3", 1e-3},     {"1E+3", 1e3},
    {"2.5e2", 250},     {"1.e2", 100},
    {"007", 7},         {"0e-400", 0},
    {"5e-324", 5e-324}, {"1.7976931348623157e308", 1.7976931348623157e308},
    {"0.1", 0.1},       {"123456789012345678", 123456789012345678.0},
};

TEST(Parser, ReadsNumbersExactly) {
    for (const NumberCase& c : kNumbers) {
        const Expr e = parse(c.text);
        ASSERT_EQ(e->op, Op::number) << c.text;
        EXPECT_EQ(e->number, c.value) << c.text;
    }
}

TEST(Parser, NeverTakesTheDotOfAnOperatorIntoANumber) {
    EXPECT_EQ(parse("2.*A"), parse("2 .* A"));
    EXPECT_EQ(parse("2./A"), parse("2 ./ A"));
}

struct ErrorCase {
    const char* text;
    std::size_t position;
    const char* message;
};

const ErrorCase kSyntaxErrors[] = {
    {"", 0, "expected an expression at position 0, found the end"},
    {"   ", 3, "expected an expression at position 3, found the end"},
    {"A +", 3, "expected an expression at position 3, found the end"},
    {"A + * B", 4, "expected an expression at position 4, found *"},
    {"(A + B", 0, "the ( at position 0 is never closed"},
    {"tr(A*(B + C)", 2, "the ( at position 2 is never closed"},
    {"A + B)", 5, "expected an operator or the end at position 5, found ); no ( matches it"},
    {"A B", 2,
     "expected an operator or the end at position 2, found B; a product is written with *"},
    {"2A", 1,
     "expected an operator or the end at position 1, found A; a product is written with *"},
    {"(A)(B)", 3,
     "expected an operator or the end at position 3, found (; a product is written with *"},
    {"(A B)", 3, "expected an operator or ) at position 3, found B; a product is written with *"},
    {"tr(A B)", 5,
     "expected an operator, a comma or ) at position 5, found B; a product is written with *"},
    {"tr()", 3, "expected an expression at position 3, found )"},
    {"dot(A,)", 6, "expected an expression at position 6, found )"},
    {"A^2^3", 3, "a power of a power needs parentheses, as in (A^2)^3 (position 3)"},
    {"A.^2.^3", 4, "a power of a power needs parentheses, as in (A^2)^3 (position 4)"},
    {"A^2 ^3", 4, "a power of a power needs parentheses, as in (A^2)^3 (position 4)"},
    {"A^*B", 2, "expected an exponent at position 2, found *"},
    {"A^(1+1", 2, "the ( at position 2 is never closed"},
    {"A^--1", 3, "expected an exponent at position 3, found -"},
    {"t^p^2", 3, "a power of a power needs parentheses, as in (A^2)^3 (position 3)"},
    {"a < b < c", 6,
     "a comparison of a comparison needs parentheses, as in (a < b) < c (position 6)"},
    {"a <", 3, "expected an expression at position 3, found the end"},
    {"2.'", 1,
     "expected an operator or the end at position 1, found .; the transpose of X is written X'"},
    {"A.+B", 1,
     "expected an operator or the end at position 1, found .; the operators with a dot are .* ./ "
     ".^"},
    {"+A", 0, "expected an expression at position 0, found +"},
    {"A,B", 1, "expected an operator or the end at position 1, found ,"},
    {"_a", 0, "expected an expression at position 0, found _a"},
    {"A*\xc3\xa9", 2, "expected an expression at position 2, found \xc3\xa9"},
    {"A*\xff", 2, "expected an expression at position 2, found the byte 0xff"},
    {"1e999", 0, "the number 1e999 at position 0 is too large"},
    {"2*A + -1e400*B", 7, "the number 1e400 at position 7 is too large"},
    {"t^1e999", 2, "the number 1e999 at position 2 is too large"},
};

TEST(ParseError, SaysWhatWasExpectedWhereAndWhatStoodThere) {
    for (const ErrorCase& c : kSyntaxErrors) {
        try {
            (void)parse(c.text);
            ADD_FAILURE() << c.text << " was accepted";
        } catch (const ParseError& e) {
            EXPECT_STREQ(e.what(), c.message) << c.text;
            EXPECT_EQ(e.position(), c.position) << c.text;
            EXPECT_EQ(e.source(), c.text);
        }
    }
}

TEST(ParseError, PointsAtTheUnmatchedParenthesis) {
    try {
        (void)parse("logdet(X'*X + tr(A)");
        FAIL() << "accepted";
    } catch (const ParseError& e) {
        EXPECT_EQ(e.excerpt(), "logdet(X'*X + tr(A)\n      ^");
    }
}

TEST(ParseError, NulBytesAreNoBlanks) {
    EXPECT_THROW((void)parse(std::string_view("A\0B", 3)), ParseError);
}

TEST(Excerpt, ShowsOnlyTheLineOfTheError) {
    const ParseError e("x", "A +\nB + * C\n+ D", 8);
    EXPECT_EQ(e.excerpt(), "B + * C\n    ^");
}

TEST(Excerpt, AtTheEndOfALineStaysOnIt) {
    EXPECT_EQ(ParseError("x", "A +\nB", 3).excerpt(), "A +\n   ^");
    EXPECT_EQ(ParseError("x", "A +\n", 4).excerpt(), "\n^");
    EXPECT_EQ(ParseError("x", "", 0).excerpt(), "\n^");
}

TEST(Excerpt, CountsTabsAndUtf8CharactersAsOneColumn) {
    EXPECT_EQ(ParseError("x", "\tA * * B", 5).excerpt(), " A * * B\n     ^");
    EXPECT_EQ(ParseError("x", "\xc3\xa9\xe2\x82\xac + A", 5).excerpt(),
              "\xc3\xa9\xe2\x82\xac + A\n  ^");
}

TEST(Excerpt, ShortensLongLinesAroundThePlace) {
    const std::string text = std::string(5000, 'a') + "?" + std::string(5000, 'b');
    const std::string excerpt = ParseError("x", text, 5000).excerpt();
    const std::size_t newline = excerpt.find('\n');
    ASSERT_NE(newline, std::string::npos);
    EXPECT_LE(newline, 100U);
    EXPECT_EQ(excerpt.substr(0, 4), "...a");
    EXPECT_EQ(excerpt.substr(newline - 4, 4), "b...");
    const std::size_t caret = excerpt.size() - newline - 2;
    EXPECT_EQ(excerpt[caret], '?');
}

}  // namespace
}  // namespace matgrad
