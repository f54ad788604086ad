// Sizes are bound from the values; contradictions name both operands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/node_builder.hpp"

namespace matgrad::reference_test {
namespace {

using Eigen::MatrixXd;
using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Thrown, typename Function>
std::string message_of(Function&& function) {
    try {
        function();
    } catch (const Thrown& error) {
        return error.what();
    }
    ADD_FAILURE() << "nothing of the expected type was thrown";
    return {};
}

const Expr kA = leaf("A", kM, kN);
const Expr kB = leaf("B", kN, kP);

TEST(ReferenceSizes, OfTwoOperandsThatDisagreeNameBoth) {
    const std::string message = message_of<ShapeError>([] {
        (void)evaluate_reference(product(1, {}, {kA, kB}),
                                 {{"A", MatrixXd::Zero(2, 3)}, {"B", MatrixXd::Zero(4, 5)}});
    });
    EXPECT_EQ(
        message,
        "operand A is 2-by-3, operand B is 4-by-5: columns of A (3) must equal rows of B (4)");
}

TEST(ReferenceSizes, OfOneOperandThatDisagreesWithItself) {
    const Expr s = leaf("S", kN, kN);
    EXPECT_THAT(message_of<ShapeError>([&] {
                    (void)evaluate_reference(s, {{"S", MatrixXd::Zero(2, 3)}});
                }),
                AllOf(HasSubstr("operand S is 2-by-3"), HasSubstr("square matrix (n-by-n)")));
}

TEST(ReferenceSizes, OfLiteralDimensionsAreHeldTo) {
    const Expr v = leaf("v", Dim::literal(3), kOne);
    EXPECT_THAT(message_of<ShapeError>([&] {
                    (void)evaluate_reference(v, {{"v", MatrixXd::Zero(4, 1)}});
                }),
                AllOf(HasSubstr("operand v is 4-by-1"), HasSubstr("expected 3-by-1")));
    EXPECT_THAT(message_of<ShapeError>([&] {
                    (void)evaluate_reference(v, {{"v", MatrixXd::Zero(3, 2)}});
                }),
                AllOf(HasSubstr("operand v is 3-by-2"), HasSubstr("expected 3-by-1")));
}

TEST(ReferenceSizes, OfGivenDimensionsMustNotContradictAnOperand) {
    EXPECT_THAT(message_of<ShapeError>([] {
                    (void)evaluate_reference(kA, {{"A", MatrixXd::Zero(2, 3)}}, {{"m", 5}});
                }),
                AllOf(HasSubstr("operand A is 2-by-3"),
                      HasSubstr("rows of A (2) must equal m, which is given as 5")));
    EXPECT_THROW((void)evaluate_reference(make(Op::eye, {kN, kN}, {}), {}, {{"n", -1}}),
                 ShapeError);
}

TEST(ReferenceSizes, OfADimensionNobodyGaveIsAnError) {
    EXPECT_THAT(message_of<ShapeError>([] {
                    (void)evaluate_reference(make(Op::eye, {kN, kN}, {}), {});
                }),
                AllOf(HasSubstr("eye"), HasSubstr("size of n")));
    EXPECT_THAT(message_of<ShapeError>([] {
                    (void)evaluate_reference(make(Op::ones, {kM, kP}, {}), {}, {{"m", 1}});
                }),
                AllOf(HasSubstr("ones"), HasSubstr("size of p")));
}

TEST(ReferenceSizes, OfASymbolAnywhereServeEyeAndOnes) {
    const Expr e = make(Op::add, {kM, kN}, {make(Op::ones, {kM, kN}, {}), kA});
    EXPECT_EQ(evaluate_reference(e, {{"A", MatrixXd::Zero(2, 3)}}), MatrixXd(MatrixXd::Ones(2, 3)));
}

TEST(ReferenceSizes, MissingOperandIsNamed) {
    EXPECT_THAT(message_of<OperandError>([] { (void)evaluate_reference(kA, {}); }),
                AllOf(HasSubstr("A"), HasSubstr("m-by-n")));
}

TEST(ReferenceSizes, OfADirectionAreThoseOfItsSymbol) {
    EXPECT_THAT(message_of<ShapeError>([] {
                    (void)evaluate_differential(kA, {{"A", MatrixXd::Zero(2, 3)}},
                                                {{"A", MatrixXd::Zero(3, 2)}});
                }),
                AllOf(HasSubstr("A is 2-by-3"), HasSubstr("direction is 3-by-2")));
}

TEST(ReferenceSizes, OfAMisbuiltNodeDoNotPassSilently) {
    const MatrixMap values{{"A", MatrixXd::Zero(2, 3)}, {"B", MatrixXd::Zero(3, 4)}};
    EXPECT_THROW((void)evaluate_reference(make(Op::add, {kM, kN}, {kA, kB}), values), ShapeError);
    EXPECT_THROW((void)evaluate_reference(make(Op::hadamard, {kM, kN}, {kA, kB}), values),
                 ShapeError);
    EXPECT_THROW((void)evaluate_reference(make(Op::dot, Shape::scalar(), {kA, kB}), values),
                 ShapeError);
    EXPECT_THROW((void)evaluate_reference(product(1, {}, {kB, kA}), values), ShapeError);
    EXPECT_THROW((void)evaluate_reference(make(Op::transpose, {kM, kN}, {kA}), values), ShapeError);
    for (const Op op : {Op::inverse, Op::diag_vector, Op::diag_matrix}) {
        EXPECT_THROW((void)evaluate_reference(make(op, {kM, kN}, {kA}), values), ShapeError);
    }
    for (const Op op : {Op::det, Op::logdet, Op::trace}) {
        EXPECT_THROW((void)evaluate_reference(to_scalar(op, kA), values), ShapeError);
    }
}

}  // namespace
}  // namespace matgrad::reference_test
