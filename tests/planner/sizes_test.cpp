#include "planner/sizes.hpp"

#include <gtest/gtest.h>

#include "planner/plan_support.hpp"

namespace matgrad::testing {
namespace {

template <typename Exception>
std::string message_of(const std::string& form, const std::vector<Operand>& operands,
                       const std::vector<std::string>& declared = {}) {
    std::vector<Declaration> declarations;
    for (const std::string& d : declared) {
        declarations.push_back(parse_declaration(d));
    }
    const Expr forms[] = {parse(form, declarations)};
    try {
        (void)bind_sizes(forms, operands);
    } catch (const Exception& e) {
        return e.what();
    }
    return "nothing was thrown";
}

TEST(Sizes, AreReadFromTheOperands) {
    const Expr forms[] = {
        parse("tr(A*X)", std::vector{parse_declaration("A=p,m"), parse_declaration("X=m,p")})};
    const std::vector<Operand> operands{{"A", 2, 7, true}, {"X", 7, 2, false}};
    const Sizes sizes = bind_sizes(forms, operands);
    EXPECT_EQ(sizes.size(Dim::named("p")), 2);
    EXPECT_EQ(sizes.size(Dim::named("m")), 7);
    EXPECT_EQ(sizes.size(Dim::literal(3)), 3);
    EXPECT_EQ(sizes.extent(Dim::named("m")).name, "m");
    EXPECT_THROW((void)sizes.size(Dim::named("q")), ShapeError);
}

TEST(Sizes, AConflictNamesBothOperandsAndBothSizes) {
    EXPECT_EQ(
        message_of<ShapeError>("X*A'", {{"X", 3, 4, true}, {"A", 5, 6, true}}, {"X=m,n", "A=p,n"}),
        "operand X is 3-by-4, operand A is 5-by-6: columns of X (4) must equal columns of A (6)");
}

TEST(Sizes, ASquareSymbolNeedsASquareOperand) {
    EXPECT_EQ(message_of<ShapeError>("logdet(S)", {{"S", 3, 4, true}}, {"S=n,n:spd"}),
              "operand S is 3-by-4: expected a square matrix (n-by-n)");
}

TEST(Sizes, DeclaredNumbersMustMatch) {
    EXPECT_EQ(message_of<ShapeError>("sum(X)", {{"X", 3, 5, true}}, {"X=3,4"}),
              "operand X is 3-by-5: expected 3-by-4");
}

TEST(Sizes, AMissingOperandIsNamedWithItsShape) {
    EXPECT_EQ(message_of<OperandError>("sum(A*X)", {{"X", 3, 4, true}}, {"A=p,m", "X=m,n"}),
              "no operand for A, which is p-by-m");
}

TEST(Sizes, AnOperandMayNotComeTwiceNorHaveANegativeSide) {
    EXPECT_EQ(message_of<OperandError>("sum(X)", {{"X", 3, 4, true}, {"X", 3, 4, true}}),
              "operand X is given twice");
    EXPECT_EQ(message_of<ShapeError>("sum(X)", {{"X", -3, 4, true}}),
              "operand X is -3-by-4: expected sizes of at least 0");
}

TEST(Sizes, BytesPastSixtyFourBitsAreRefused) {
    const std::int64_t big = std::int64_t{1} << 40;
    EXPECT_EQ(message_of<ShapeError>("sum(X)", {{"X", big, big, true}}),
              "X is 1099511627776-by-1099511627776: its bytes do not fit 64 bits");
}

TEST(Sizes, ATemporaryTooLargeIsRefusedToo) {
    const std::int64_t big = std::int64_t{1} << 40;
    const Problem p{{"sum(exp(a*b'))"}, {"a=m", "b=n"}, {{"m", big}, {"n", big}}, {}};
    EXPECT_THROW((void)program_for(p), ShapeError);
}

TEST(Sizes, AnEntryOutsideTheResultIsRefused) {
    PlanRequest request =
        request_for({{"A*B"}, {"A=m,n", "B=n,p"}, {{"m", 2}, {"n", 3}, {"p", 4}}, {}});
    request.outputs[0].entry = Entry{2, 0};
    try {
        (void)make_program(request);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const OperandError& error) {
        EXPECT_STREQ(
            error.what(),
            "entry 2,0 is outside value, which is 2-by-4: expected indices that count from 0");
    }
    request.outputs[0].entry = Entry{0, -1};
    EXPECT_THROW((void)make_program(request), OperandError);
    request.outputs[0].entry = Entry{1, 3};
    EXPECT_NO_THROW((void)make_program(request));
}

}  // namespace
}  // namespace matgrad::testing
