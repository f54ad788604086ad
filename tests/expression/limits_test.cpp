// The stated limits, and that no text within or past them exhausts the stack.

#include <gtest/gtest.h>

#include "expression/node.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kTextLimit = 64 * 1024;

std::string repeat(const std::string& text, std::size_t count) {
    std::string result;
    result.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) {
        result += text;
    }
    return result;
}

std::string unsupported(const std::string& text, const std::string& declarations = "") {
    return message_of<UnsupportedError>(
        [&] { return parse(text, parse_declarations(declarations)); });
}

TEST(Limits, TextOf64KiBIsReadAndNoMore) {
    const std::string longest = "A" + std::string(kTextLimit - 1, ' ');
    EXPECT_EQ(parse(longest)->op, Op::symbol);
    EXPECT_EQ(unsupported(longest + " "), "the expression has 65537 bytes, the limit is 65536");
    EXPECT_NE(message_of<UnsupportedError>([&] {
                  return parse_declaration(longest + " ");
              }).find("65537 bytes"),
              std::string::npos);
}

TEST(Limits, NestingOf128IsReadAndNoMore) {
    EXPECT_EQ(parse(repeat("(", 128) + "A" + repeat(")", 128))->op, Op::symbol);
    EXPECT_EQ(parse(repeat("exp(", 128) + "A" + repeat(")", 128))->depth, 128);
    const std::string message = "parentheses are nested more than 128 deep at position 128";
    EXPECT_EQ(unsupported(repeat("(", 129) + "A" + repeat(")", 129)), message);
    EXPECT_EQ(unsupported(repeat("(", 60000)), message);
}

TEST(Limits, ManyBracketsInARowAreNotNested) {
    EXPECT_EQ(parse(repeat("(A)+", 10000) + "(A)").shape().text(), "m-by-n");
}

TEST(Limits, LongChainsDoNotNest) {
    const std::size_t n = 15000;
    EXPECT_EQ(parse(repeat("a+", n) + "a"), parse("15001*a"));
    EXPECT_EQ(parse(repeat("a.*", n) + "a"), parse("a.^15001"));
    EXPECT_EQ(parse("1" + repeat("./a", n)), parse("a.^-15000"));
    EXPECT_EQ(parse("t" + repeat("*t", n), parse_declarations("t=1")),
              parse("t^15001", parse_declarations("t=1")));
    EXPECT_EQ(parse("t" + repeat("/s", n), parse_declarations("t=1 s=1")),
              parse("t/s^15000", parse_declarations("t=1 s=1")));
    EXPECT_EQ(parse("A" + repeat("'", 60000)), parse("A"));
    EXPECT_EQ(parse(repeat("-", 60001) + "A"), parse("-A"));
    EXPECT_EQ(parse(repeat("- ", 30000) + "A"), parse("A"));
    EXPECT_EQ(parse("1" + repeat("-1", n)), parse("-14999"));
}

TEST(Limits, ManyNamesTakeNoMoreThanAMoment) {
    std::string text = "x0";
    for (int i = 1; i < 8000; ++i) {
        text += "+x" + std::to_string(i);
    }
    EXPECT_EQ(symbols(parse(text)).size(), 8000U);
}

TEST(Limits, AProductHasAtMost512MatrixFactors) {
    const auto square = "A=n,n B=n,n";
    EXPECT_EQ(parse("A" + repeat("*A", 511), parse_declarations(square))->children.size(), 512U);
    EXPECT_EQ(unsupported("A" + repeat("*A", 512), square),
              "A" + repeat("*A", 19) + "*...A" + repeat("*A", 8) +
                  ": the product has 513 matrix factors, the limit is 512");
    EXPECT_EQ(parse("(A^8)^64", parse_declarations(square))->children.size(), 512U);
    EXPECT_EQ(unsupported("(A^9)^64", square),
              "(A^9)^64: the product has 576 matrix factors, the limit is 512");
    EXPECT_EQ(unsupported("A^64*B*(A^64)^7", square),
              "A^64*B*(A^64)^7: the product has 513 matrix factors, the limit is 512");
}

TEST(Limits, MatrixExponentsAreWholeAndAtMost64) {
    EXPECT_EQ(parse("A^64")->children.size(), 64U);
    EXPECT_EQ(parse("A^-64")->children.size(), 64U);
    const std::string rule =
        ": the exponent of a matrix is a whole number from -64 to 64; each entry alone is raised "
        "by .^";
    EXPECT_EQ(unsupported("A^65"), "A^65" + rule);
    EXPECT_EQ(unsupported("A^-65"), "A^-65" + rule);
    EXPECT_EQ(unsupported("tr(A^0.5)"), "A^0.5" + rule);
    EXPECT_EQ(unsupported("A^1e300"), "A^1e300" + rule);
    EXPECT_EQ(parse("sum(A)^1000.5")->number, 1000.5);
    EXPECT_EQ(parse("A.^65")->number, 65);
}

TEST(Limits, PowersOfSumsDoNotGrowWithoutBound) {
    std::string text = "A";
    for (int i = 0; i < 40; ++i) {
        text = "(" + text + "+B)^8";
    }
    EXPECT_NE(unsupported(text).find("with its powers written out the expression has more than"),
              std::string::npos);
}

TEST(Limits, AlternatingOperatorsEndAtADepthOf1000) {
    const std::string declarations = "A=n,n B=n,n";
    const std::string turn = "*A.*B";  // each turn is two operations deeper
    EXPECT_LE(parse("A" + repeat(turn, 450), parse_declarations(declarations))->depth, 1000);
    EXPECT_NE(unsupported("A" + repeat(turn, 12000), declarations)
                  .find("the expression is more than 1000 operations deep"),
              std::string::npos);
}

TEST(Limits, ConstantsThatOverflowAreRefused) {
    EXPECT_EQ(unsupported("1e200*1e200"), "a constant factor overflows");
    EXPECT_EQ(unsupported("1e308*A + 1e308*A"), "a constant factor overflows");
    EXPECT_EQ(unsupported("((t^1e200)^1e200)^2", "t=1"), "an exponent overflows");
}

}  // namespace
}  // namespace matgrad
