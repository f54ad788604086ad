// split_batch_sums: which sums over the batch become sums of products, and that they stay the sums they were.

#include <gtest/gtest.h>

#include "planner/body_terms.hpp"
#include "planner/edit.hpp"
#include "planner/hand_program.hpp"
#include "planner/passes.hpp"
#include "planner/plan_support.hpp"

namespace matgrad::testing {
namespace {

const std::vector<std::string> kDeclared{"X=m,n",     "Y=m,p", "Z=m,p",    "V=m,n", "W=n,p",
                                         "S=m,m:sym", "u=n",   "v=n",      "r=m",   "q=m",
                                         "s=1",       "t=1",   "P=m,m:spd"};
const Dims kDims{{"m", 7}, {"n", 5}, {"p", 3}};

struct SumCase {
    std::string form;
    int products = 0;   ///< of which only the sum is used
    int sums = 1;       ///< over the batch
    int entrywise = 0;  ///< maps that run for every problem
};

void PrintTo(const SumCase& c, std::ostream* out) {
    *out << c.form;
}

/// V and W are shared.
PlanRequest request_of(const std::string& form) {
    PlanRequest request = request_for({{form}, kDeclared, kDims, {"V", "W"}});
    set_summed(request, true);
    return request;
}

int count_products(const Program& program) {
    int count = 0;
    for (const Step& s : program.steps) {
        count += s.fold == Fold::inner;
    }
    return count;
}

int count_maps(const Program& program) {
    int count = 0;
    for (const Step& s : steps_of<Map>(program)) {
        count += s.scope == Scope::problem;
    }
    return count;
}

class BatchSum : public ::testing::TestWithParam<SumCase> {};

TEST_P(BatchSum, BecomesASumOfProductsWhereThatIsCheaper) {
    const SumCase& c = GetParam();
    const Program program = make_program(request_of(c.form));
    EXPECT_EQ(count_products(program), c.products) << to_text(program);
    EXPECT_EQ(count_steps<BatchReduce>(program), c.sums) << to_text(program);
    EXPECT_EQ(count_maps(program), c.entrywise) << to_text(program);
}

TEST_P(BatchSum, IsTheSumOfWhatEachProblemGives) {
    PlanRequest request = request_of(GetParam().form);
    const std::vector<Operands> problems = random_problems(request, 4, 17);
    const Program summed = make_program(request);
    set_summed(request, false);
    const RunResult parts = Interpreter(make_program(request)).run(problems);
    const RunResult total = Interpreter(summed).run(problems);
    Eigen::MatrixXd expected = parts.outputs[0][0];
    double sizes = expected.norm();
    for (std::size_t k = 1; k < problems.size(); ++k) {
        expected += parts.outputs[k][0];
        sizes += parts.outputs[k][0].norm();
    }
    // Terms of a form may cancel: none of these is more than a hundred times its result.
    EXPECT_LE((total.outputs.back()[0] - expected).norm(), 1e-12 * sizes) << to_text(summed);
}

const SumCase kCases[] = {
    // One product, whatever it is written with.
    {"(r - V*u)*u'", 1},
    {"r*u'", 1},
    {"-2*r*u'", 1},
    {"s*t*r", 1, 1, 1},
    {"-t*sigmoid(-t*dot(r,q))*r", 1, 1, 1},
    {"(exp(W*Y'*r - logsumexp(W*Y'*r)) - u)*r'", 1, 1, 3},
    {"exp(r)*sin(u)'", 1, 1, 2},
    {"r*u'/s", 1, 1, 2},
    {"X'*Y", 1},
    {"X*X'", 1},
    {"X'*X", 1},
    {"X*u", 1},
    {"s*X'*Y", 1, 1, 1},
    {"s*X'*X", 1, 1, 1},
    {"tril(r*r')", 1},
    {"triu(r*q')", 1},
    {"0.5*(r*q' + q*r')", 1},
    // Several.
    {"X'*Y + u*r'*Z", 2, 2},
    {"r*u' + q*v'", 2, 2},
    {"X'*Y - 3*V'*Z + W", 2, 3},
    {"r*u' + V", 1, 2},
    {"r*u' + X", 1, 2},
    {"X*v + 2*r", 1, 2},
    // None.
    {"X + V", 0, 1, 1},
    {"r + q", 0, 1, 1},
    {"exp(X'*Y)", 0, 1, 1},
    {"X'*Y + exp(X'*Y)", 0, 1, 1},
    {"X.*V", 0, 1, 1},
    {"s*X", 0, 1, 1},
    {"s*t", 0, 1, 1},
    {"dot(r, q)*dot(u, v)", 0, 1, 1},
};
INSTANTIATE_TEST_SUITE_P(Forms, BatchSum, ::testing::ValuesIn(kCases));

TEST(BatchSums, LeaveOutTheProblemsThatFail) {
    PlanRequest request = request_of("r*u' + logdet(P)*q*v'");
    std::vector<Operands> problems = random_problems(request, 4, 3);
    const Program program = make_program(request);
    EXPECT_EQ(count_products(program), 2) << to_text(program);
    const RunResult all = Interpreter(program).run({problems[0], problems[2], problems[3]});
    problems[1].at("P") *= -1;
    problems[1].at("r") *= std::numeric_limits<double>::quiet_NaN();
    const RunResult some = Interpreter(program).run(problems);
    EXPECT_EQ(some.status, (std::vector<int>{0, 1, 0, 0}));
    EXPECT_EQ(some.outputs.back()[0], all.outputs.back()[0]);
}

TEST(BatchSums, OfValueAndGradientShareTheResidual) {
    PlanRequest request = request_of("0.5*norm2(r - V*u)^2");
    OutputRequest gradient;
    gradient.kind = OutputKind::gradient;
    gradient.name = "V";
    gradient.form = parse("-(r - V*u)*u'", request.symbols);
    request.outputs.push_back(gradient);
    set_summed(request, true);
    const Program program = make_program(request);
    EXPECT_EQ(count_steps<Gemm>(program), 2) << to_text(program);
    EXPECT_EQ(count_maps(program), 0) << to_text(program);
    EXPECT_EQ(std::get<Gemm>(steps_of<Gemm>(program)[1].operation).alpha, -1);
}

TEST(BatchSums, OfTermsStayDoubleUntilTheyAreAdded) {
    PlanRequest request = request_of("r*u' + q*v'");
    request.type = ScalarType::float32;
    const Program program = make_program(request);
    for (const Step& s : steps_of<BatchReduce>(program)) {
        EXPECT_EQ(program.value(s.out).type, ScalarType::float64) << to_text(program);
    }
    EXPECT_EQ(program.value(program.outputs[0].value).type, ScalarType::float32);
}

TEST(BatchSums, WithAProductAddedToAnotherAreSumsOfBoth) {
    HandProgram h;
    h.program.batch = 100;
    const ValueId x = h.operand("X", 4, 6);
    const ValueId y = h.operand("Y", 6, 4);
    const ValueId first = h.step(gemm(x, y), 4, 4);
    const ValueId both = h.step(Gemm{{y, true}, {x, true}, 1, -2, {first, true}}, 4, 4);
    h.output(h.step(BatchReduce{{both}}, 4, 4, Scope::reduced));
    split_batch_sums(h.program);
    fold_batch(h.program);
    EXPECT_EQ(count_products(h.program), 2) << to_text(h.program);
    EXPECT_EQ(count_steps<BatchReduce>(h.program), 2);
    ASSERT_TRUE(std::holds_alternative<Map>(h.program.steps.back().operation));
    EXPECT_EQ(h.program.steps.back().scope, Scope::reduced);
}

TEST(BatchSums, AreLeftAloneWhereTheTermsAreReadElsewhere) {
    HandProgram h;
    const ValueId x = h.operand("X", 4, 6);
    const ValueId y = h.operand("Y", 6, 4);
    const ValueId product = h.step(gemm(x, y), 4, 4);
    const ValueId body = h.step(Map{binary_body(MapOp::add, {product}, {product, true})}, 4, 4);
    h.output(h.step(BatchReduce{{body}}, 4, 4, Scope::reduced));
    h.output(product);
    const std::size_t steps = h.program.steps.size();
    split_batch_sums(h.program);
    EXPECT_EQ(h.program.steps.size(), steps) << to_text(h.program);
}

TEST(BodyTerms, AreProductsOfWhatDependsOnRowsColumnsOrNothing) {
    HandProgram h;
    const ValueId r = h.operand("r", 3, 1);
    const ValueId u = h.operand("u", 4, 1, false);
    const ValueId s = h.operand("s", 1, 1);
    MapBody body;
    BodyWriter writer(body);
    const int column = writer.load({r}, Broadcast::column);
    const int row = writer.load({u, true}, Broadcast::row);
    const int scalar = writer.load({s}, Broadcast::scalar);
    const int sine = writer.unary(MapOp::sin, column);
    const int outer = writer.binary(MapOp::mul, writer.scale(2, sine), row);
    const int masked = writer.binary(MapOp::mask, outer, writer.mask(MapOp::is_lower));
    const int sum = writer.binary(MapOp::sub, masked, row);
    writer.finish(writer.scale(3, writer.binary(MapOp::div, sum, scalar)));
    const std::vector<Dependence> depends = dependences(h.program, body, 3, 4);
    const std::vector<ProductTerm> terms = product_terms(body, depends);
    ASSERT_EQ(terms.size(), 2U);
    EXPECT_EQ(terms[0].coefficient, 3);
    EXPECT_EQ(terms[1].coefficient, -3);
    EXPECT_EQ(terms[0].masks.size(), 1U);
    ASSERT_EQ(terms[0].factors.size(), 3U) << "the scalar below, 2*sin(r), u'";
    EXPECT_TRUE(terms[0].factors[0].reciprocal);
    ASSERT_EQ(terms[1].factors.size(), 2U);
    const Dependence& left = depends[static_cast<std::size_t>(terms[0].factors[1].reg)];
    const Dependence& right = depends[static_cast<std::size_t>(terms[0].factors[2].reg)];
    EXPECT_TRUE(left.row && !left.col && left.batch);
    EXPECT_TRUE(right.col && !right.row && !right.batch);
}

}  // namespace
}  // namespace matgrad::testing
