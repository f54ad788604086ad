// Plan::check passes what `run` computes and finds what is spoilt afterwards.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

using test::random_numbers;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// f = |A x - b|^2 + logdet(S) with shared A, batched x, b and S = diag(2, 3); its results by x.
template <typename T>
struct CheckedRun {
    static constexpr std::int64_t m = 5, n = 3;

    CheckedRun(std::int64_t problems, PlanOptions options)
        : batch(problems),
          a(random_numbers<T>(m * n, 1)),
          x(random_numbers<T>(n * problems, 2)),
          b(random_numbers<T>(m * problems, 3)),
          v(random_numbers<T>(n * problems, 4)),
          plan(make(options)) {
        for (std::int64_t k = 0; k < batch; ++k) {
            s.insert(s.end(), {T{2}, T{0}, T{0}, T{3}});
        }
        status.resize(static_cast<std::size_t>(batch));
        for (const OutputInfo& output : plan.outputs()) {
            results.emplace_back(
                static_cast<std::size_t>(output.rows * output.cols * (output.batched ? batch : 1)));
        }
    }

    [[nodiscard]] Plan make(PlanOptions options) const {
        options.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
        options.wrt = {"x"};
        std::vector<Operand> operands{
            {"A", m, n, false}, {"x", n, 1, true}, {"b", m, 1, true}, {"S", 2, 2, true}};
        if (!options.hvp.empty()) {
            operands.push_back({"v", n, 1, true});
        }
        const Declaration declared[] = {parse_declaration("S=k,k:spd")};
        return make_plan(parse("norm2(A*x - b)^2 + logdet(S)", declared), operands, options);
    }
    [[nodiscard]] std::vector<OperandView> operands() const {
        std::vector<OperandView> views{a, x, b, s};
        if (plan.operands().size() > views.size()) {
            views.emplace_back(v);
        }
        return views;
    }
    [[nodiscard]] std::vector<ResultView> targets() { return {results.begin(), results.end()}; }
    void run() { plan.run(operands(), targets(), status); }
    [[nodiscard]] CheckReport check(const std::vector<std::int64_t>& problems = {}) {
        return plan.check(operands(), targets(), status, problems);
    }

    std::int64_t batch;
    std::vector<T> a, x, b, v, s;
    Plan plan;
    std::vector<std::vector<T>> results;
    std::vector<std::int32_t> status;
};

template <typename T>
class PlanCheckOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PlanCheckOf, Types);

TYPED_TEST(PlanCheckOf, PassesWhatRunComputesAndReportsEachOutput) {
    PlanOptions options;
    options.hvp = {{"x", "v"}};
    CheckedRun<TypeParam> data(20, options);
    data.run();
    const CheckReport report = data.check();
    EXPECT_TRUE(report.passed()) << report.text();
    EXPECT_GT(report.problems, 2);
    EXPECT_LE(report.problems, 8);
    EXPECT_EQ(report.failed, 0);
    ASSERT_EQ(report.outputs.size(), 3u);
    EXPECT_EQ(report.outputs[0].output, "value");
    EXPECT_EQ(report.outputs[1].output, "gradient x");
    EXPECT_EQ(report.outputs[2].output, "hvp x");
    for (const OutputCheck& output : report.outputs) {
        EXPECT_GT(output.worst.bound, 0);
        // No more than a thousand roundings of numbers below a hundred.
        EXPECT_LT(output.worst.bound, 1e5 * std::numeric_limits<TypeParam>::epsilon());
    }
}

TYPED_TEST(PlanCheckOf, FindsOneWrongEntryOfOneProblem) {
    PlanOptions options;
    options.hvp = {{"x", "v"}};
    CheckedRun<TypeParam> data(20, options);
    data.run();
    for (std::size_t output = 0; output < 3; ++output) {
        std::vector<TypeParam>& result = data.results[output];
        const std::size_t entry = 13 * result.size() / 20;  // the first of problem 13
        const TypeParam right = result[entry];
        result[entry] += TypeParam{0.1F};
        const CheckReport report = data.check({12, 13, 14});
        EXPECT_FALSE(report.passed());
        EXPECT_EQ(report.problems, 3);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(report.outputs[i].worst.passes(), i != output);
        }
        EXPECT_EQ(report.outputs[output].problem, 13);
        EXPECT_TRUE(data.check({12, 14}).passed());
        result[entry] = right;
    }
}

TYPED_TEST(PlanCheckOf, OfSumsAndMeansCoversTheProblemsThatSucceeded) {
    for (const Reduction reduction : {Reduction::sum, Reduction::mean}) {
        PlanOptions options;
        options.reduction = reduction;
        options.reductions = {{"gradient x", reduction}, {"hvp x", reduction}};
        options.hvp = {{"x", "v"}};
        CheckedRun<TypeParam> data(12, options);
        data.s[4 * 5 + 3] = -1;  // problem 5 is not positive
        data.run();
        const CheckReport report = data.check();
        EXPECT_TRUE(report.passed()) << report.text();
        EXPECT_EQ(report.problems, 11);
        EXPECT_EQ(report.failed, 1);
        for (std::size_t output = 0; output < 3; ++output) {
            EXPECT_EQ(report.outputs[output].problem, OutputCheck::kNoProblem);
            TypeParam& entry = data.results[output][0];
            const TypeParam right = entry;
            entry += TypeParam{0.1F};
            EXPECT_FALSE(data.check().passed()) << report.outputs[output].output;
            entry = right;
        }
        // The sum over the wrong problems is another one.
        data.status[5] = 0;
        data.status[6] = make_status(StatusKind::not_positive, 1);
        EXPECT_FALSE(data.check().passed());
    }
}

TYPED_TEST(PlanCheckOf, OfAMeanComparesTheSumWholeAndEachProblemsDerivativeByItself) {
    PlanOptions options;
    options.reduction = Reduction::mean;
    options.hvp = {{"x", "v"}};
    CheckedRun<TypeParam> data(12, options);
    data.s[4 * 5 + 3] = -1;
    data.run();
    const CheckReport report = data.check({3, 7});
    EXPECT_TRUE(report.passed()) << report.text();
    EXPECT_EQ(report.outputs[0].problem, OutputCheck::kNoProblem);
    EXPECT_TRUE(report.outputs[1].problem == 3 || report.outputs[1].problem == 7);
    for (const std::size_t output : {1, 2}) {
        TypeParam& entry = data.results[output][3 * 7 + 1];
        const TypeParam right = entry;
        entry *= TypeParam{11} / 12;  // divided by the whole batch
        EXPECT_FALSE(data.check({7}).outputs[output].worst.passes());
        EXPECT_TRUE(data.check({3}).passed());
        entry = right;
    }
    data.results[0][0] += TypeParam{0.1F};
    EXPECT_FALSE(data.check({3}).passed());
}

TEST(PlanCheck, LeavesOutTheProblemsThatFailed) {
    CheckedRun<double> data(6, {});
    data.s[4 * 2 + 3] = -1;
    data.run();
    ASSERT_NE(data.status[2], 0);
    const CheckReport report = data.check();
    EXPECT_TRUE(report.passed()) << report.text();
    EXPECT_EQ(report.problems, 5);
    EXPECT_EQ(report.failed, 1);
    EXPECT_EQ(data.check({2}).text(), "no problem to compare, 1 failed: ok");
}

TEST(PlanCheck, FailsAResultThatIsNotANumber) {
    CheckedRun<double> data(4, {});
    data.run();
    data.results[1][3 * 2 + 1] = kNaN;
    const CheckReport report = data.check();
    EXPECT_FALSE(report.passed());
    EXPECT_EQ(report.outputs[1].problem, 2);
}

TEST(PlanCheck, OfOneEntryComparesThatEntry) {
    for (const Reduction reduction : {Reduction::none, Reduction::sum}) {
        PlanOptions options;
        options.entry = Entry{1, 0};
        options.reduction = reduction;
        options.reductions = {{"gradient x", reduction}};
        CheckedRun<double> data(3, options);
        data.run();
        EXPECT_TRUE(data.check().passed()) << data.check().text();
        data.results[1][0] += 1e-6;
        EXPECT_FALSE(data.check().passed());
    }
}

TEST(PlanCheck, ReadsViewsAsRunDoes) {
    // Columns of 7, the last problem first, and room between: what is not addressed is NaN.
    const std::int64_t m = 7, n = 3, batch = 4;
    std::vector<double> operand(static_cast<std::size_t>(2 * m * n * batch), kNaN);
    std::vector<double> result(operand.size(), kNaN), value(2 * batch, kNaN);
    const std::int64_t start = 2 * m * n * (batch - 1);
    const std::vector<double> numbers = random_numbers<double>(m * n * batch, 8);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        operand[2 * i] = numbers[i];
    }
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", m, n)}, {.wrt = {"X"}});
    const OperandView x =
        strided(operand.data() + start, m, n, 2, 2 * m).batched(batch, -2 * m * n);
    const std::vector<ResultView> results{
        strided(value.data(), 1, 1, 0, 0).batched(batch, 2),
        strided(result.data() + start, m, n, 2, 2 * m).batched(batch, -2 * m * n)};
    plan.run({x}, results);
    EXPECT_TRUE(plan.check({x}, results).passed());
    result[static_cast<std::size_t>(start)] += 1e-6;  // entry (0, 0) of problem 0
    EXPECT_EQ(plan.check({x}, results).outputs[1].problem, 0);
    EXPECT_FALSE(plan.check({x}, results).passed());
}

TEST(PlanCheck, KnowsStructureAndConvention) {
    const std::vector<double> p{2, 1, 1, 3}, a{1, 2, 3, 4};
    const Declaration declared[] = {parse_declaration("P=n,n:sym"), parse_declaration("A=n,n")};
    const std::vector<OperandView> operands{p, a};
    for (const Reduction reduction : {Reduction::none, Reduction::sum}) {
        std::vector<std::vector<double>> gradients;
        for (const Convention convention : {Convention::projected, Convention::free_entries}) {
            PlanOptions options;
            options.wrt = {"P"};
            options.convention = convention;
            options.reduction = reduction;
            options.reductions = {{"gradient P", reduction}};
            const Plan plan = make_plan(parse("tr(A*P*P)", declared),
                                        {batched("P", 2, 2), shared("A", 2, 2)}, options);
            std::vector<double> value(1);
            std::vector<double>& gradient = gradients.emplace_back(4);
            const std::vector<ResultView> results{value, gradient};
            plan.run(operands, results);
            EXPECT_TRUE(plan.check(operands, results).passed());
            if (convention == Convention::free_entries) {
                gradient = gradients[0];
                EXPECT_FALSE(plan.check(operands, results).passed());
            }
        }
    }
}

TEST(PlanCheck, WhereNothingIsBatchedComparesOnce) {
    const double x = 3;
    double value = 0;
    const Plan plan =
        make_plan(parse("s^2", std::vector{parse_declaration("s=1")}), {shared("s", 1)});
    plan.run({x}, {value});
    EXPECT_EQ(plan.check({x}, {value}).problems, 1);
    EXPECT_TRUE(plan.check({x}, {value}).passed());
}

TEST(PlanCheck, SaysWhatIsWrongWithItsArguments) {
    const auto message = [](auto&& call) -> std::string {
        try {
            (void)call();
        } catch (const OperandError& error) {
            return error.what();
        }
        return "no error";
    };
    CheckedRun<double> data(4, {});
    EXPECT_EQ(message([&] {
                  return data.check({1, 4});
              }),
              "problem 4 is to be compared: expected a number from 0 to below the batch of 4");
    EXPECT_EQ(message([&] { return data.check({-1}); }),
              "problem -1 is to be compared: expected a number from 0 to below the batch of 4");
    data.status.resize(3);
    EXPECT_EQ(message([&] { return data.check(); }),
              "status has 3 entries: expected 4, one per problem, or none");
    PlanOptions options;
    options.reduction = Reduction::sum;
    options.reductions = {{"gradient x", Reduction::sum}};
    CheckedRun<double> sum(4, options);
    EXPECT_EQ(
        message([&] { return sum.check({1}); }),
        "problem 1 is to be compared, but the results are sums over the batch: expected none to be "
        "named, since all are compared");
}

TEST(PlanCost, IsTheLeastThatTheBatchTakes) {
    const PlanCost cost =
        make_plan(parse("0.5*norm2(X*A')^2"), {batched("X", 8, 4), shared("A", 6, 4)},
                  {.value = false, .wrt = {"X"}, .expected_batch = 100})
            .cost();
    EXPECT_EQ(cost.bytes, 8 * (100 * (8 * 4 + 8 * 4) + 6 * 4));
    // A'A once, n(n+1)p, and X times it for each problem, 2 m n n.
    EXPECT_EQ(cost.operations, 4 * 5 * 6 + 100 * 2 * 8 * 4 * 4);
}

}  // namespace
}  // namespace matgrad
