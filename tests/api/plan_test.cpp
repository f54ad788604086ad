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
}

TEST(Plan, SaysOfEachOutputWhatIsDoneOverTheBatch) {
    // A is shared; x and b are batched.
    PlanOptions options;
    options.wrt = {"A", "x"};
    options.hvp = {{"x", "v"}};
    std::vector<Operand> operands = kOperands;
    operands.push_back(batched("v", 2));
    const auto outputs_for = [&] {
        std::string text;
        const Plan plan = make_plan(least_squares(), operands, options);
        for (const OutputInfo& output : plan.outputs()) {
            const char* const reductions[] = {"none", "sum", "mean"};
            text += output.text() + (output.batched ? " each " : " one ") +
                    reductions[static_cast<int>(output.reduction)] + "; ";
        }
        return text;
    };
    EXPECT_EQ(outputs_for(),
              "value each none; gradient A each none; gradient x each none; hvp x each none; ");
    options.reduction = Reduction::sum;
    EXPECT_EQ(outputs_for(),
              "value one sum; gradient A one sum; gradient x each none; hvp x each none; ");
    options.reduction = Reduction::mean;
    EXPECT_EQ(outputs_for(),
              "value one mean; gradient A one mean; gradient x each mean; hvp x each mean; ");
    options.reductions = {{"value", Reduction::none}, {"gradient x", Reduction::sum}};
    EXPECT_EQ(outputs_for(),
              "value each none; gradient A one mean; gradient x one sum; hvp x each mean; ");
}

TEST(PlanErrors, NameAReductionOfNoOutputAndOneGivenTwice) {
    PlanOptions options = gradient_of("x");
    options.reductions = {{"gradient A", Reduction::sum}};
    EXPECT_EQ(plan_error(kOperands, options),
              "a reduction is given for 'gradient A', which is no output: expected one of value, "
              "gradient x");
    options.reductions = {{"value", Reduction::sum}, {"value", Reduction::mean}};
    EXPECT_EQ(plan_error(kOperands, options), "a reduction of value is given twice");
}

TEST(Plan, AsksOnlyForTheOperandsThatSomeResultNeeds) {
    const std::vector<Declaration> declared = {parse_declaration("P=n,n:spd"),
                                               parse_declaration("S=n,n:sym")};
    const Expr f = parse("-logdet(P) + tr(S*P)", declared);
    PlanOptions options;
    options.value = false;
    options.hvp = {{"P", "V"}};
    const Plan without = make_plan(f, {batched("P", 2, 2), batched("V", 2, 2)}, options);
    const Plan with =
        make_plan(f, {batched("P", 2, 2), batched("V", 2, 2), batched("S", 2, 2)}, options);
    EXPECT_EQ(without.operands().size(), 2u);
    EXPECT_EQ(with.operands().size(), 3u);
    const std::vector<double> p{2, 0, 0, 4}, v{1, 1, 1, 1}, s{5, 6, 6, 7};
    std::vector<double> h(4), same(4);
    without.run({p, v}, {h});
    with.run({p, v, s}, {same});
    EXPECT_EQ(h, same);
    // inv(P)*V*inv(P)
    EXPECT_NEAR(h[0], 0.25, 1e-15);
    EXPECT_NEAR(h[1], 0.125, 1e-15);
    EXPECT_TRUE(without.check({p, v}, {h}).passed()) << without.check({p, v}, {h}).text();
    h[3] += 1e-3;
    EXPECT_FALSE(without.check({p, v}, {h}).passed());
    options.value = true;
    EXPECT_MENTIONS(message_of<OperandError>([&] {
                        (void)make_plan(f, {batched("P", 2, 2), batched("V", 2, 2)}, options);
                    }),
                    "operand S is missing");
    options.value = false;
    EXPECT_MENTIONS(
        message_of<OperandError>([&] {
            (void)make_plan(f, {batched("P", 2, 2), batched("V", 2, 2), shared("Q", 2)}, options);
        }),
        "operand Q is not used");
}

TEST(Plan, DoesWithoutTheVariableOfAGradientThatDoesNotDependOnIt) {
    PlanOptions options = gradient_of("X");
    options.value = false;
    const Expr f = parse("tr(A*X)");
    const Plan plan = make_plan(f, {batched("A", 3, 2)}, options);
    EXPECT_EQ(plan.outputs()[0].rows, 2);
    EXPECT_EQ(plan.outputs()[0].cols, 3);
    const std::vector<double> a{1, 2, 3, 4, 5, 6};
    std::vector<double> g(6);
    plan.run({a}, {g});
    EXPECT_EQ(g, (std::vector<double>{1, 3, 5, 2, 4, 6}));
    EXPECT_TRUE(plan.check({a}, {g}).passed());
    // Without X nobody knows how large the gradient is.
    EXPECT_EQ(message_of<OperandError>(
                  [&] { (void)make_plan(parse("sum(X)"), std::vector<Operand>{}, options); }),
              "operand X is missing: m has no size without it (it is m-by-n)");
}

TEST(Plan, OfAJointHessianHasTheCrossTerms) {
    // f = x'*y: the Hessian is [0 I; I 0].
    PlanOptions options;
    options.value = false;
    options.joint_hvp = {{"x", "v"}, {"y", "w"}};
    const Expr f = parse("x'*y");
    const Plan plan = make_plan(f, {batched("v", 2), batched("w", 2), shared("x", 2)}, options);
    ASSERT_EQ(plan.outputs().size(), 2u);
    EXPECT_EQ(plan.outputs()[0].text(), "hvp x");
    EXPECT_EQ(plan.outputs()[1].text(), "hvp y");
    const std::vector<double> v{1, 2}, w{3, 4}, x{0, 0};
    std::vector<double> hx(2), hy(2);
    plan.run({v, w, x}, {hx, hy});
    EXPECT_EQ(hx, w);
    EXPECT_EQ(hy, v);
    EXPECT_TRUE(plan.check({v, w, x}, {hx, hy}).passed());
    hy[0] += 1e-6;
    EXPECT_FALSE(plan.check({v, w, x}, {hx, hy}).passed());
    options.hvp = {{"x", "u"}};
    EXPECT_EQ(message_of<OperandError>([&] {
                  (void)make_plan(f, {batched("v", 2), batched("w", 2), shared("x", 2)}, options);
              }),
              "hvp x is asked for twice: in hvp and in joint_hvp");
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
