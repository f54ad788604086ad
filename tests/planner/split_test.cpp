// split_program: what is kept of the early part, what is computed again, what the late part still costs.

#include "planner/split.hpp"

#include <gtest/gtest.h>

#include "matgrad/calculus.hpp"
#include "planner/plan_support.hpp"
#include "program/uses.hpp"
#include "program/verify.hpp"

namespace matgrad::testing {
namespace {

/// The product of the Hessian over `variable` along D, cut at D. All but the names in `shared` is batched.
SplitProgram split_of(const char* f, const std::vector<std::string>& declarations, const Dims& dims,
                      const std::string& variable, const std::set<std::string>& shared = {},
                      ScalarType type = ScalarType::float64) {
    std::vector<Declaration> declared;
    for (const std::string& d : declarations) {
        declared.push_back(parse_declaration(d));
    }
    const Expr h = hessian_vector_product(parse(f, declared), variable, "D");
    PlanRequest request;
    request.type = type;
    request.batch = 1000;
    request.symbols = declared;
    const auto size = [&](const Dim& dim) {
        return dim.name.empty() ? dim.size : dims.at(dim.name);
    };
    for (const Declaration& d : declared) {
        request.operands.push_back(
            {d.name, size(d.shape.rows), size(d.shape.cols), shared.count(d.name) == 0});
        if (d.name == variable) {
            request.operands.push_back(request.operands.back());
            request.operands.back().name = "D";
        }
    }
    request.outputs.push_back({OutputKind::hvp, variable, h, {}});
    const std::string late[] = {"D"};
    SplitProgram parts = split_program(make_program(request), late);
    for (const Program* part : {&parts.early, &parts.late}) {
        for (const std::string& fault : find_faults(*part, Stage::placed)) {
            ADD_FAILURE() << fault << "\n" << to_text(*part);
        }
    }
    return parts;
}

TEST(Split, OfALogisticLossLeavesTwoProductsAndOneMultiplicationByTheWeights) {
    const SplitProgram parts =
        split_of("sum(c.*softplus(-s.*(X*w)))", {"X=m,n", "w=n", "s=m", "c=m"},
                 {{"m", 569}, {"n", 30}}, "w", {"X", "s"});
    EXPECT_EQ(parts.kept, 1u);
    EXPECT_FALSE(parts.carries_failures);
    EXPECT_EQ(parts.early.outputs.size(), 1u);
    EXPECT_EQ(parts.late.steps.size(), 3u) << to_text(parts.late);
    EXPECT_EQ(count_steps<Gemm>(parts.late), 2);
    const std::vector<Step> maps = steps_of<Map>(parts.late);
    ASSERT_EQ(maps.size(), 1u);
    const MapBody& body = std::get<Map>(maps[0].operation).body;
    EXPECT_EQ(body.operands.size(), 2u);
    EXPECT_EQ(body.code.size(), 3u) << "two loads and a multiplication: " << to_text(parts.late);
    EXPECT_EQ(parts.late.operands.size(), 3u);  // X, D, the weights
}

TEST(Split, OfALogDeterminantFactorsOnceAndCarriesFailures) {
    const SplitProgram parts = split_of("logdet(P)", {"P=n,n:spd"}, {{"n", 8}}, "P");
    EXPECT_EQ(count_steps<Potrf>(parts.early), 1);
    EXPECT_TRUE(parts.carries_failures);
    const std::vector<Step> factors = steps_of<Potrf>(parts.late);
    ASSERT_EQ(factors.size(), 1u);
    EXPECT_EQ(parts.late.value(factors[0].out).count(), 1) << "of the flag alone";
    EXPECT_EQ(parts.kept, 2u);
}

TEST(Split, OfAnLuKeepsTheInverse) {
    const SplitProgram parts = split_of("log(det(A)^2)", {"A=n,n"}, {{"n", 6}}, "A");
    EXPECT_EQ(count_steps<Getrf>(parts.early), 1);
    EXPECT_EQ(count_steps<Getrf>(parts.late), 0);
    EXPECT_EQ(count_steps<Solve>(parts.late), 0) << to_text(parts.late);
    EXPECT_EQ(count_steps<Gemm>(parts.late), 2) << to_text(parts.late);
}

TEST(Split, KeepsADoubleOfAFloatProgramAsTwoNumbers) {
    const SplitProgram parts =
        split_of("logdet(X'*X)", {"X=m,n"}, {{"m", 16}, {"n", 4}}, "X", {}, ScalarType::float32);
    for (const ProgramOutput& output : parts.early.outputs) {
        EXPECT_EQ(parts.early.value(output.value).type, ScalarType::float32);
    }
    bool has_sum = false;
    for (const Step& step : steps_of<Map>(parts.late)) {
        has_sum = has_sum || (step.why == "kept as two numbers" &&
                              parts.late.value(step.out).type == ScalarType::float64);
    }
    EXPECT_TRUE(has_sum) << to_text(parts.late);
}

TEST(Split, DoesNotStoreWhatTheOperandsSayAsQuickly) {
    // The Hessian is diag(a): nothing is worth keeping.
    const SplitProgram parts = split_of("0.5*sum(a.*w.*w)", {"a=m", "w=m"}, {{"m", 50}}, "w", {});
    EXPECT_EQ(parts.kept, 0u) << to_text(parts.late);
    EXPECT_EQ(parts.early.steps.size(), 0u);
}

TEST(Split, NamesAnOperandThatIsNotThere) {
    const Program program = program_for({{"tr(X)"}, {"X=n,n"}, {{"n", 2}}, {}});
    const std::string late[] = {"Y"};
    try {
        (void)split_program(program, late);
        FAIL() << "no error";
    } catch (const OperandError& error) {
        EXPECT_STREQ(error.what(), "operand Y is to come late: the plan has none of that name");
    }
}

}  // namespace
}  // namespace matgrad::testing
