// What a plan says of itself, and every mistake a caller can make.

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

/// The message of the exception of type E that `call` throws, or why there is none.
template <typename E, typename Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const E& error) {
        return error.what();
    } catch (const std::exception& error) {
        return std::string("another exception: ") + error.what();
    }
    return "no exception";
}

#define EXPECT_MENTIONS(message, part) \
    EXPECT_NE((message).find(part), std::string::npos) << "the message is: " << (message)

Expr least_squares() {
    return parse("norm2(A*x - b)^2");
}

PlanOptions gradient_of(const std::string& variable) {
    PlanOptions options;
    options.wrt = {variable};
    return options;
}

const std::vector<Operand> kOperands{{"A", 3, 2, false}, {"x", 2, 1, true}, {"b", 3, 1, true}};

std::string plan_error(const std::vector<Operand>& operands,
                       const PlanOptions& options = gradient_of("x")) {
    return message_of<OperandError>([&] { (void)make_plan(least_squares(), operands, options); });
}

std::string size_error(const std::vector<Operand>& operands) {
    return message_of<ShapeError>(
        [&] { (void)make_plan(least_squares(), operands, gradient_of("x")); });
}

TEST(Plan, ListsItsOperandsAsTheyWereGivenAndItsOutputsInOrder) {
    PlanOptions options;
    options.wrt = {"x", "A"};
    const Plan plan = make_plan(least_squares(), kOperands, options);
    ASSERT_EQ(plan.operands().size(), 3u);
    EXPECT_EQ(plan.operands()[0].name, "A");
    EXPECT_EQ(plan.operands()[2].name, "b");
    ASSERT_EQ(plan.outputs().size(), 3u);
    EXPECT_EQ(plan.outputs()[0].kind, OutputKind::value);
    EXPECT_EQ(plan.outputs()[1].name, "x");
    EXPECT_EQ(plan.outputs()[2].name, "A");
    EXPECT_EQ(plan.outputs()[2].rows, 3);
    EXPECT_EQ(plan.outputs()[2].cols, 2);
    EXPECT_TRUE(plan.outputs()[2].batched);
    EXPECT_NE(plan.explain().find("gemm"), std::string::npos) << plan.explain();
}

TEST(Plan, HasUnbatchedOutputsIfAllIsSharedOrReduced) {
    const std::vector<Operand> shared{{"A", 3, 2, false}, {"x", 2, 1, false}, {"b", 3, 1, false}};
    EXPECT_FALSE(make_plan(least_squares(), shared, gradient_of("x")).outputs()[1].batched);
    PlanOptions options = gradient_of("x");
    options.reduction = Reduction::sum;
    EXPECT_FALSE(make_plan(least_squares(), kOperands, options).outputs()[1].batched);
}

TEST(Plan, GivesOneNumberForAnEntry) {
    PlanOptions options = gradient_of("A");
    options.entry = Entry{2, 1};
    const Plan plan = make_plan(least_squares(), kOperands, options);
    EXPECT_EQ(plan.outputs()[1].rows, 1);
    EXPECT_EQ(plan.outputs()[1].cols, 1);
    options.entry = Entry{3, 0};
    const std::string message = plan_error(kOperands, options);
    EXPECT_MENTIONS(message, "entry 3,0");
    EXPECT_MENTIONS(message, "3-by-2");
    options.entry = Entry{0, -1};
    EXPECT_MENTIONS(plan_error(kOperands, options), "entry 0,-1");
}

TEST(Plan, IsMadeOfBraces) {
    const Plan plan =
        make_plan(least_squares(), {shared("A", 3, 2), batched("x", 2), {"b", 3, 1, true}},
                  {.type = ScalarType::float32, .wrt = {"x"}});
    EXPECT_EQ(plan.type(), ScalarType::float32);
    EXPECT_EQ(plan.operands(), kOperands);
}

TEST(Plan, ThatIsEmptyIsAnErrorToUse) {
    const Plan plan;
    EXPECT_FALSE(plan);
    const std::string empty = "the plan is empty: expected one that make_plan made";
    EXPECT_EQ(message_of<OperandError>([&] { (void)plan.operands(); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { (void)plan.outputs(); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { (void)plan.device(); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { (void)plan.explain(); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { plan.run({}, {}); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { plan.enqueue({}, {}, {}); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { (void)plan.check({}, {}); }), empty);
    EXPECT_EQ(message_of<OperandError>([&] { const Workspace workspace(plan); }), empty);
}

TEST(Plan, IsEqualToOneOfTheSameQuestion) {
    const auto plan = [](const char* f, const std::vector<Operand>& operands,
                         const PlanOptions& options) {
        return make_plan(parse(f), operands, options);
    };
    const Plan one = plan("norm2(A*x - b)^2", kOperands, gradient_of("x"));
    EXPECT_EQ(one, plan("norm2(-b + A*x)^2", kOperands, gradient_of("x")));
    const std::unordered_set<Plan> set{Plan(), one};
    EXPECT_TRUE(set.contains(plan("norm2(A*x - b)^2", kOperands, gradient_of("x"))));
    EXPECT_TRUE(set.contains(Plan()));
    EXPECT_NE(one, Plan());
    EXPECT_NE(one, plan("norm2(A*x + b)^2", kOperands, gradient_of("x")));
    EXPECT_NE(one, plan("norm2(A*x - b)^2", kOperands, gradient_of("A")));
    EXPECT_NE(one, plan("norm2(A*x - b)^2", {shared("A", 3, 2), shared("x", 2), batched("b", 3)},
                        gradient_of("x")));
    PlanOptions single = gradient_of("x");
    single.type = ScalarType::float32;
    EXPECT_NE(one, plan("norm2(A*x - b)^2", kOperands, single));
}

TEST(PlanErrors, NameAMissingOperand) {
    const std::string message = plan_error({{"A", 3, 2, false}, {"b", 3, 1, true}});
    EXPECT_MENTIONS(message, "operand x is missing");
}

TEST(PlanErrors, NameAnUnusedOperandAndWhatThereIs) {
    const std::string message =
        plan_error({{"A", 3, 2, false}, {"x", 2, 1, true}, {"b", 3, 1, true}, {"c", 3, 1, true}});
    EXPECT_MENTIONS(message, "operand c is not used");
    EXPECT_MENTIONS(message, "A, x, b");
}

TEST(PlanErrors, NameAnOperandGivenTwice) {
    const std::string message =
        plan_error({{"A", 3, 2, false}, {"x", 2, 1, true}, {"b", 3, 1, true}, {"x", 2, 1, true}});
    EXPECT_MENTIONS(message, "operand x is given twice");
}

TEST(PlanErrors, NameBothOperandsWhoseSizesDisagree) {
    const std::string message =
        size_error({{"A", 3, 2, false}, {"x", 4, 1, true}, {"b", 3, 1, true}});
    EXPECT_MENTIONS(message, "operand x is 4-by-1");
    EXPECT_MENTIONS(message, "operand A is 3-by-2");
}

TEST(PlanErrors, NameAVectorOfTwoColumns) {
    const std::string message =
        size_error({{"A", 3, 2, false}, {"x", 2, 2, true}, {"b", 3, 1, true}});
    EXPECT_MENTIONS(message, "operand x is 2-by-2");
    EXPECT_MENTIONS(message, "expected n-by-1");
}

TEST(PlanErrors, NameAMatrixThatIsNotSquare) {
    const std::vector<Operand> operands{{"X", 3, 2, true}};
    const std::string message = message_of<ShapeError>(
        [&] { (void)make_plan(parse("logdet(X)"), operands, gradient_of("X")); });
    EXPECT_MENTIONS(message, "operand X is 3-by-2");
    EXPECT_MENTIONS(message, "square");
}

TEST(PlanErrors, NameASizeThatOverflowsOrIsNegative) {
    const std::int64_t huge = std::int64_t{1} << 40;
    EXPECT_MENTIONS(
        size_error({{"A", huge, huge, false}, {"x", huge, 1, true}, {"b", huge, 1, true}}),
        "fit 64 bits");
    EXPECT_MENTIONS(size_error({{"A", -3, 2, false}, {"x", 2, 1, true}, {"b", 3, 1, true}}),
                    "operand A is -3-by-2");
}

TEST(PlanErrors, AnswerOptionsThatMakeNoSense) {
    PlanOptions none;
    none.value = false;
    EXPECT_MENTIONS(plan_error(kOperands, none), "nothing is asked for");
    PlanOptions threads = gradient_of("x");
    threads.threads = -1;
    EXPECT_MENTIONS(plan_error(kOperands, threads), "threads is -1");
    PlanOptions lonely;
    lonely.entry = Entry{0, 0};
    EXPECT_MENTIONS(plan_error(kOperands, lonely), "without a gradient");
    PlanOptions twice;
    twice.wrt = {"x", "x"};
    EXPECT_MENTIONS(
        message_of<NameError>([&] { (void)make_plan(least_squares(), kOperands, twice); }),
        "x is asked for twice");
    EXPECT_MENTIONS(message_of<NameError>(
                        [&] { (void)make_plan(least_squares(), kOperands, gradient_of("y")); }),
                    "y");
    PlanOptions negative = gradient_of("x");
    negative.expected_batch = -1;
    EXPECT_MENTIONS(plan_error(kOperands, negative), "expected_batch is -1");
    EXPECT_MENTIONS(
        message_of<ShapeError>([&] { (void)make_plan(parse("A*x"), kOperands, PlanOptions()); }),
        "expected a scalar");
}

}  // namespace
}  // namespace matgrad
