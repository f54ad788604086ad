// logsumexp and its gradient: one exponential for both, and nothing overflows.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "planner/plan_support.hpp"

namespace matgrad::testing {
namespace {

int count_exponentials(const Program& program) {
    int count = 0;
    for (const Step& step : program.steps) {
        const auto* map = std::get_if<Map>(&step.operation);
        const auto* reduce = std::get_if<Reduce>(&step.operation);
        if (map == nullptr && reduce == nullptr) {
            continue;
        }
        for (const MapInstruction& c : (map != nullptr ? map->body : reduce->body).code) {
            count += c.op == MapOp::exp;
        }
    }
    return count;
}

const std::vector<std::string> kDeclared{"W=m,n", "x=n", "y=m", "b=m", "V=m,n"};
const Dims kDims{{"m", 7}, {"n", 4}};

Problem problem_of(const std::vector<std::string>& forms) {
    return {forms, kDeclared, kDims, {"W"}};
}

TEST(Softmax, TakesOneExponentialForTheValueAndTheGradient) {
    const std::string value = "logsumexp(W*x) - dot(y, W*x)";
    const std::string gradient = "(exp(W*x - logsumexp(W*x)) - y)*x'";
    const std::string slope = "exp(W*x + b - logsumexp(W*x + b))";
    for (const std::vector<std::string>& forms :
         std::vector<std::vector<std::string>>{{value, gradient},
                                               {gradient},
                                               {value},
                                               {"logsumexp(W*x + b)", slope},
                                               {"logsumexp(V)", "exp(V - logsumexp(V)*ones(m,n))"},
                                               {"logsumexp(2*x)", "2*exp(2*x - logsumexp(2*x))"},
                                               // The derivative of the gradient.
                                               {slope + ".*y - dot(" + slope + ", y)*" + slope}}) {
        const Problem problem = problem_of(forms);
        const Program program = program_for(problem);
        EXPECT_EQ(count_exponentials(program), 1) << to_text(program);
        expect_matches_reference(problem);
    }
}

TEST(Softmax, OfAnotherVectorIsAnExponentialOfItsOwn) {
    const Problem problem = problem_of({"exp(W*x - logsumexp(W*x + b))"});
    EXPECT_EQ(count_exponentials(program_for(problem)), 2);
    expect_matches_reference(problem);
}

TEST(Softmax, OfTheValueAloneWritesNoExponentials) {
    const Program program = program_for(problem_of({"logsumexp(W*x)"}));
    for (const Step& step : program.steps) {
        EXPECT_TRUE(!std::holds_alternative<Map>(step.operation) ||
                    program.value(step.out).count() == 1)
            << to_text(program);
    }
}

TEST(Softmax, HasItsEntriesOneByOne) {
    PlanRequest request = request_for(problem_of({"exp(W*x - logsumexp(W*x))"}));
    for (const std::int64_t row : {0, 3, 6}) {
        request.outputs[0].entry = Entry{row, 0};
        expect_matches_reference(request);
    }
}

TEST(Softmax, NeitherOverflowsNorHidesWhatIsNoNumber) {
    const Program program =
        make_program(request_for({{"exp(a - logsumexp(a))"}, {"a=n"}, {{"n", 3}}, {}}));
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto vector = [](double x, double y, double z) {
        Eigen::MatrixXd v(3, 1);
        v << x, y, z;
        return Operands{{"a", v}};
    };
    const RunResult run = Interpreter(program).run(
        {vector(800, 800, -1e300), vector(-800, -kInfinity, -800), vector(1, kInfinity, 2),
         vector(-kInfinity, -kInfinity, -kInfinity), vector(1, std::nan(""), 2)});
    const auto entry = [&](std::size_t k, int i) { return run.outputs[k][0](i, 0); };
    for (const auto& [k, zero] : {std::pair<std::size_t, int>{0, 2}, {1, 1}}) {
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(entry(k, i), i == zero ? 0 : 0.5);
        }
    }
    EXPECT_EQ(entry(2, 0), 0);
    EXPECT_TRUE(std::isnan(entry(2, 1)));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(std::isnan(entry(3, i)));
        EXPECT_TRUE(std::isnan(entry(4, i)));
    }
}

}  // namespace
}  // namespace matgrad::testing
