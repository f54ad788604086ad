// A good Program has no faults, and each rule of program.hpp that is broken has one of its own.

#include "program/verify.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "planner/hand_program.hpp"
#include "planner/planner.hpp"
#include "program/uses.hpp"

namespace matgrad::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// G = X'X + t*eye, L L' = G, V = inv(L) B; then the sum of the squares of V over the batch.
Program placed_program() {
    const std::vector<Declaration> declarations = {parse_declaration("X=m,n"),
                                                   parse_declaration("B=n,p")};
    PlanRequest request;
    for (const char* form : {"logdet(X'*X)", "inv(X'*X)*B"}) {
        OutputRequest output;
        output.form = parse(form, declarations);
        request.outputs.push_back(output);
    }
    request.operands = {{"X", 7, 3, true}, {"B", 3, 2, false}};
    request.symbols = declarations;
    request.batch = 10;
    return make_program(request);
}

std::vector<std::string> faults_of(Program program, Stage stage,
                                   const std::function<void(Program&)>& change) {
    change(program);
    return find_faults(program, stage);
}

template <typename Kind>
Step& first(Program& program) {
    for (Step& step : program.steps) {
        if (std::holds_alternative<Kind>(step.operation)) {
            return step;
        }
    }
    throw std::logic_error("no such step");
}
template <typename Kind>
Kind& operation(Program& program) {
    return std::get<Kind>(first<Kind>(program).operation);
}

struct Broken {
    const char* name;
    std::function<void(Program&)> change;
    const char* fault;
};

const Broken kBroken[] = {
    {"AUseOfNothing", [](Program& p) { operation<Potrf>(p).a.value = 99; }, "names value 99 of"},
    {"AnOutputOfNothing", [](Program& p) { p.outputs[0].value = kNoValue; },
     "an output names value -1"},
    {"AReadBeforeTheWrite", [](Program& p) { std::swap(p.steps[0], p.steps[1]); },
     "before it is written"},
    {"TwoWritesOfOneValue", [](Program& p) { p.steps.push_back(p.steps[0]); },
     "which is written already"},
    {"AResultNobodyWrites",
     [](Program& p) {
         p.values.push_back(p.values.back());
         p.outputs[0].value = static_cast<ValueId>(p.values.size()) - 1;
     },
     "which no step writes"},
    {"ARowOutsideItsMatrix", [](Program& p) { operation<Syrk>(p).a.row = 7; }, "row 7"},
    {"ASecondResultOfAPotrf",
     [](Program& p) {
         p.values.push_back(p.values.back());
         first<Potrf>(p).out2 = static_cast<ValueId>(p.values.size()) - 1;
     },
     "has two results"},
    {"AShapeThatDoesNotFit", [](Program& p) { operation<Syrk>(p).a.transposed ^= true; },
     "has a result of 3-by-3: expected 7-by-7"},
    {"ATransposedCholesky", [](Program& p) { operation<Potrf>(p).a.transposed = true; },
     "reads its lower triangle transposed"},
    {"AnInstructionOfTheFuture", [](Program& p) { operation<Reduce>(p).body.code[0].a = 5; },
     "reads what is not there"},
    {"AnInstructionThatLacksARegister",
     [](Program& p) {
         operation<Reduce>(p).body.code.back() = {MapOp::add, 0, -1, 0};
     },
     "reads what is not there"},
    {"AProductWithoutAFactor", [](Program& p) { operation<Syrk>(p).a = {}; },
     "lacks a use that it needs"},
    {"AFoldThatNobodySums", [](Program& p) { first<Syrk>(p).fold = Fold::inner; },
     "is said to be summed and is used otherwise"},
    {"ABodyWithoutInstructions", [](Program& p) { operation<Reduce>(p).body.code.clear(); },
     "without instructions"},
    {"ABodyThatIsTooLong",
     [](Program& p) {
         operation<Reduce>(p).body.code.resize(kMaxBodyCode + 1, {MapOp::constant, -1, -1, 1});
     },
     "at most 32 and 128"},
    {"ADeterminantWithoutPivots",
     [](Program& p) { operation<Reduce>(p).op = ReduceOp::signed_product; }, "has no pivots"},
    {"AHalfOfAMatrixThatIsAllRead",
     [](Program& p) {
         operation<Syrk>(p).mirror = false;
         p.outputs[0].value = first<Syrk>(p).out;
     },
     "of which the lower triangle is written"},
    {"AScopeThatDoesNotFollow", [](Program& p) { first<Syrk>(p).scope = Scope::shared; },
     "another scope than what it reads"},
    {"AnOperandOfTheWrongScope", [](Program& p) { p.operands[0].batched = false; },
     "has not the scope that `batched` says"},
    {"ARepeatedResultOfEachProblem", [](Program& p) { p.outputs[0].repeated = true; },
     "is repeated and not computed once"},
    {"AMeanOfWhatIsSharedByTheBatch",
     [](Program& p) {
         p.outputs.push_back({OutputKind::value, "", p.operands[1].value, false, false, true});
     },
     "is a mean and the batch has no part in it"},
    {"AnOffsetOutsideTheWorkspace",
     [](Program& p) { p.value(first<Potrf>(p).out).offset = p.problem_bytes; }, "lies at"},
    {"AnOffsetThatIsNotAligned",
     [](Program& p) {
         p.problem_bytes += 8;
         p.value(first<Potrf>(p).out).offset += 4;
     },
     "lies at"},
    {"TwoValuesInOnePlace",
     [](Program& p) {
         for (Value& value : p.values) {
             value.offset = value.offset < 0 ? -1 : 0;
         }
     },
     "share memory while both are needed"},
};

class Verify : public ::testing::TestWithParam<Broken> {};
INSTANTIATE_TEST_SUITE_P(Rules, Verify, ::testing::ValuesIn(kBroken),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(Verify, FindsTheFault) {
    const auto faults = faults_of(placed_program(), Stage::placed, GetParam().change);
    ASSERT_FALSE(faults.empty());
    EXPECT_THAT(::testing::PrintToString(faults), HasSubstr(GetParam().fault));
}

TEST(VerifyProgram, AGoodOneHasNoFaultAtAnyStage) {
    const Program program = placed_program();
    for (const Stage stage : {Stage::lowered, Stage::scoped, Stage::placed}) {
        EXPECT_THAT(find_faults(program, stage), IsEmpty());
    }
}

TEST(VerifyProgram, StepsOfAnEarlierScopeComeFirst) {
    HandProgram p;
    const ValueId a = p.operand("A", 2, 2, false);
    const ValueId x = p.operand("X", 2, 2);
    const ValueId ax = p.step(gemm(a, x), 2, 2);
    p.output(p.step(gemm(a, a), 2, 2, Scope::shared));
    p.output(ax);
    EXPECT_THAT(find_faults(p.program, Stage::lowered), IsEmpty());
    EXPECT_THAT(::testing::PrintToString(find_faults(p.program, Stage::scoped)),
                HasSubstr("after a step of a later scope"));
}

TEST(VerifyProgram, ASumOverTheBatchIsNotMixedWithOneProblem) {
    HandProgram p;
    const ValueId x = p.operand("X", 2, 2);
    const ValueId sum = p.step(BatchReduce{{x}}, 2, 2, Scope::reduced);
    p.output(p.step(gemm(sum, x), 2, 2, Scope::reduced));
    EXPECT_THAT(::testing::PrintToString(find_faults(p.program, Stage::scoped)),
                HasSubstr("one problem's value beside a sum"));
}

TEST(VerifyProgram, TheErrorNamesThePassAndShowsTheProgram) {
    Program program = placed_program();
    operation<Potrf>(program).a.transposed = true;
    try {
        verify(program, Stage::placed, "a_pass");
        FAIL() << "no exception";
    } catch (const std::logic_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("after a_pass this is no Program"));
        EXPECT_THAT(error.what(), HasSubstr("reads its lower triangle transposed"));
        EXPECT_THAT(error.what(), HasSubstr("potrf("));
    }
}

TEST(Passes, AreShownInOrderWithTheProgramThatIsKept) {
    PlanRequest request;
    request.symbols = {parse_declaration("X=m,n")};
    OutputRequest output;
    output.form = parse("logdet(X'*X)", request.symbols);
    request.outputs.push_back(output);
    request.operands = {{"X", 7, 3, true}};
    std::vector<std::string> passes;
    std::string last;
    const Program program =
        make_program(request, [&](std::string_view pass, Stage, const Program& now) {
            passes.emplace_back(pass);
            last = to_text(now);
        });
    EXPECT_EQ(passes.front(), "lowering");
    EXPECT_EQ(passes.back(), "count_costs");
    EXPECT_EQ(passes.size(), 13u);
    EXPECT_EQ(last, to_text(program));
    EXPECT_EQ(last, to_text(make_program(request)));
}

}  // namespace
}  // namespace matgrad::testing
