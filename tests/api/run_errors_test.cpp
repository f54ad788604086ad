// Every mistake in the arguments of a run is an error that names the operand, what was found and what was
// expected; nothing is written before it is found.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

constexpr std::int64_t kBatch = 4;
constexpr double kUntouched = -77;

/// norm2(A*x - b)^2 with a shared 3-by-2 A and batched x and b, and everything that a run of it takes.
struct Call {
    Plan plan = make_plan(parse("norm2(A*x - b)^2"),
                          {shared("A", 3, 2), batched("x", 2), batched("b", 3)}, {.wrt = {"x"}});
    std::vector<double> a = std::vector<double>(6, 1.0);
    std::vector<double> x = std::vector<double>(2 * kBatch, 1.0);
    std::vector<double> b = std::vector<double>(3 * kBatch, 1.0);
    std::vector<float> floats = std::vector<float>(3 * kBatch, 1.0F);
    std::vector<double> memory = std::vector<double>(64, kUntouched);
    Workspace room{plan.workspace_bytes() + 64};

    std::vector<OperandView> operands{{"A", row_major(a, 3, 2)},
                                      {"x", column(x, 2).batched(kBatch)},
                                      {"b", column(b, 3).batched(kBatch)}};
    std::vector<ResultView> results{{"value", value()}, {"gradient x", gradient()}};
    std::vector<std::int32_t> status = std::vector<std::int32_t>(kBatch);
    RunOptions options;
    std::vector<std::int64_t> rows;

    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() = default;

    [[nodiscard]] View value() { return row_major(memory.data(), 1, 1).batched(kBatch); }
    [[nodiscard]] View gradient() { return column(memory.data() + 16, 2).batched(kBatch); }
    void run() {
        options.rows = rows;
        plan.run(operands, results, status, options);
    }
};

struct Mistake {
    const char* name;
    std::function<void(Call&)> make;
    std::string message;
};

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const OperandError& error) {
        return error.what();
    } catch (const std::exception& error) {
        return std::string("another exception: ") + error.what();
    }
    return "no exception";
}

class RunMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(RunMistake, IsOneLineThatNamesItAndNothingIsWritten) {
    Call call;
    GetParam().make(call);
    EXPECT_EQ(message_of([&] { call.run(); }), GetParam().message);
    for (const double entry : call.memory) {  // results lie in here, whatever the mistake
        EXPECT_EQ(entry, kUntouched) << "something was written before the mistake was found";
    }
}

const std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

const Mistake kMistakes[] = {
    // Names.
    {"UnknownOperand", [](Call& c) { c.operands[1].name = "X"; },
     "operand X is unknown: expected A, x, b"},
    {"OperandTwice", [](Call& c) { c.operands[1].name = "b"; }, "operand b is given twice"},
    {"OperandMissing", [](Call& c) { c.operands.pop_back(); },
     "operand b is missing: 2 are given, expected A, x, b"},
    {"OneOperand", [](Call& c) { c.operands.resize(1, ConstView()); },
     "operand x is missing: 1 is given, expected A, x, b"},
    {"NoOperands", [](Call& c) { c.operands.clear(); },
     "operand A is missing: 0 are given, expected A, x, b"},
    {"OperandTooMany", [](Call& c) { c.operands.emplace_back("c", c.x); },
     "operand c is unknown: expected A, x, b"},
    {"OneOperandWithoutName", [](Call& c) { c.operands[1].name = ""; },
     "1 of 3 operands have no name: expected all of them by name, or all by position"},
    {"TooFewByPosition",
     [](Call& c) {
         c.operands = {c.a, c.x};
     },
     "2 operands are given: expected 3"},
    {"TooManyByPosition",
     [](Call& c) {
         c.operands = {c.a, c.x, c.b, c.b};
     },
     "4 operands are given: expected 3"},
    {"SwappedByPosition",
     [](Call& c) {
         c.operands = {c.a, column(c.b, 3).batched(4), column(c.x, 2).batched(4)};
     },
     "operand x is 3-by-1: expected 2-by-1"},
    {"UnknownResult", [](Call& c) { c.results[1].name = "gradient A"; },
     "result gradient A is unknown: expected value, gradient x"},
    {"VariableForGradient", [](Call& c) { c.results[1].name = "x"; },
     "result x is unknown: expected value, gradient x"},
    {"ResultTwice", [](Call& c) { c.results[1].name = "value"; }, "result value is given twice"},
    {"ResultMissing", [](Call& c) { c.results.pop_back(); },
     "result gradient x is missing: 1 is given, expected value, gradient x"},
    {"OneResultByPosition", [](Call& c) { c.results = {c.value()}; },
     "1 results are given: expected 2"},
    {"OneResultWithoutName", [](Call& c) { c.results[0].name = ""; },
     "1 of 2 results have no name: expected all of them by name, or all by position"},
    // Types.
    {"FloatOperand", [](Call& c) { c.operands[2].view = c.floats; },
     "operand b is of type float: the plan is for double"},
    {"FloatView", [](Call& c) { c.operands[2].view = column(c.floats, 3).batched(4); },
     "operand b is of type float: the plan is for double"},
    {"FloatResult", [](Call& c) { c.results[0].view = c.floats; },
     "the result value is of type float: the plan is for double"},
    // Sizes.
    {"Transposed", [](Call& c) { c.operands[0].view = row_major(c.a, 2, 3); },
     "operand A is 2-by-3: expected 3-by-2"},
    {"RowForColumn", [](Call& c) { c.operands[1].view = row_major(c.x, 1, 2).batched(4); },
     "operand x is 1-by-2: expected 2-by-1"},
    {"ScalarForMatrix", [](Call& c) { c.operands[0].view = c.a[0]; },
     "operand A is 1-by-1: expected 3-by-2"},
    {"NegativeSize", [](Call& c) { c.operands[0].view = row_major(c.a, -1, 2); },
     "operand A is -1-by-2: expected 3-by-2"},
    {"ContainerTooShort",
     [](Call& c) {
         c.a.pop_back();
         c.operands[0].view = c.a;
     },
     "operand A has 5 entries: expected 6, those of one 3-by-2 matrix"},
    {"ContainerTooLong",
     [](Call& c) {
         c.a.push_back(0);
         c.operands[0].view = c.a;
     },
     "operand A has 7 entries: expected 6, those of one 3-by-2 matrix"},
    {"ContainerIsNoMultiple",
     [](Call& c) {
         c.b.pop_back();
         c.operands[2].view = c.b;
     },
     "operand b has 11 entries: expected a multiple of 3, those of one 3-by-1 matrix"},
    {"EmptyContainer",
     [](Call& c) {
         c.a.clear();
         c.operands[0].view = c.a;
     },
     "operand A has 0 entries: expected 6, those of one 3-by-2 matrix"},
    {"ResultContainerTooShort", [](Call& c) { c.results[1].view = std::span(c.memory).first(7); },
     "the result gradient x has 7 entries: expected a multiple of 2, those of one 2-by-1 matrix"},
    {"EmptyView", [](Call& c) { c.operands[0].view = ConstView(); },
     "operand A is a view without sizes: expected 3-by-2"},
    {"EmptyResultView", [](Call& c) { c.results[0].view = View(); },
     "the result value is a view without sizes: expected 1-by-1"},
    {"WrongResult", [](Call& c) { c.results[1].view = column(c.memory.data(), 3).batched(4); },
     "the result gradient x is 3-by-1: expected 2-by-1"},
    // The batch.
    {"OneMatrixForABatch", [](Call& c) { c.operands[1].view = column(c.x, 2); },
     "operand x is one matrix: the plan takes a batch, expected batched(n) of the view"},
    {"ABatchForOneMatrix",
     [](Call& c) { c.operands[0].view = row_major(c.a.data(), 3, 2).batched(4, 0); },
     "operand A is a batch of 4: the plan has one matrix for all problems"},
    {"OneResultForABatch", [](Call& c) { c.results[0].view = c.memory[0]; },
     "the result value is one matrix: the plan takes a batch, expected batched(n) of the view"},
    {"FewerProblems", [](Call& c) { c.operands[2].view = column(c.b, 3).batched(3); },
     "operand b has 3 problems: expected 4, as x has"},
    {"FewerProblemsInAContainer",
     [](Call& c) {
         c.b.resize(9);
         c.operands[2].view = c.b;
     },
     "operand b has 3 problems: expected 4, as x has"},
    {"FewerResults", [](Call& c) { c.results[1].view = column(c.memory.data(), 2).batched(2); },
     "the result gradient x has 2 problems: expected 4, as x has"},
    {"NegativeBatch", [](Call& c) { c.operands[1].view = column(c.x, 2).batched(-1); },
     "operand x is a batch of -1: expected at least 0"},
    {"StatusTooShort", [](Call& c) { c.status.pop_back(); },
     "status has 3 entries: expected 4, one per problem, or none"},
    {"StatusTooLong", [](Call& c) { c.status.push_back(0); },
     "status has 5 entries: expected 4, one per problem, or none"},
    {"RowBeyondTheBatch",
     [](Call& c) {
         c.rows = {0, 1, 4, 2};
     },
     "rows[2] is 4: expected a problem from 0 to below 4"},
    {"NegativeRow",
     [](Call& c) {
         c.rows = {-1, 1, 0, 2};
     },
     "rows[0] is -1: expected a problem from 0 to below 4"},
    {"FewerRowsThanResults",
     [](Call& c) {
         c.rows = {1, 1, 0};
     },
     "the result value has 4 problems: expected 3, as rows has"},
    // Memory.
    {"OperandWithoutData",
     [](Call& c) {
         c.operands[2].view = column(static_cast<const double*>(nullptr), 3).batched(4);
     },
     "operand b has no data: found a null pointer, expected 3-by-1 entries"},
    {"ResultWithoutData",
     [](Call& c) { c.results[1].view = column(static_cast<double*>(nullptr), 2).batched(4); },
     "the result gradient x has no data: found a null pointer, expected 2-by-1 entries"},
    {"MatrixPastItsContainer",
     [](Call& c) {
         c.a.resize(5);
         c.operands[0].view = row_major(c.a, 3, 2);
     },
     "operand A reaches past its memory: found entries 0 to 5 of 5"},
    {"BatchPastItsContainer",
     [](Call& c) {
         c.x.resize(7);
         c.operands[1].view = column(c.x, 2).batched(4);
     },
     "operand x reaches past its memory: found entries 0 to 7 of 7"},
    {"BatchBeforeItsContainer", [](Call& c) { c.operands[1].view = column(c.x, 2).batched(4, -2); },
     "operand x reaches past its memory: found entries -6 to 1 of 8"},
    {"BatchStridePastItsContainer",
     [](Call& c) { c.operands[1].view = column(c.x, 2).batched(4, 3); },
     "operand x reaches past its memory: found entries 0 to 10 of 8"},
    {"ScalarPastItself", [](Call& c) { c.results[0].view = View(c.memory[0]).batched(4); },
     "the result value reaches past its memory: found entries 0 to 3 of 1"},
    {"ResultOverAnOperand", [](Call& c) { c.results[1].view = column(c.x, 2).batched(4); },
     "the result gradient x overlaps operand x: expected memory of its own"},
    {"ResultOverAResult",
     [](Call& c) { c.results[1].view = column(c.memory.data() + 3, 2).batched(4); },
     "the result gradient x overlaps the result value: expected memory of its own"},
    {"ResultsShared", [](Call& c) { c.results[1].view = column(c.memory, 2).batched(4, 0); },
     "the result gradient x writes one address twice: strides 1, 1, 0 over 2-by-1 entries of 4 "
     "problems, "
     "expected distinct addresses"},
    {"ResultsThatMeet", [](Call& c) { c.results[1].view = column(c.memory, 2).batched(4, 1); },
     "the result gradient x writes one address twice: strides 1, 1, 1 over 2-by-1 entries of 4 "
     "problems, "
     "expected distinct addresses"},
    {"StridesOutOfReach",
     [](Call& c) { c.operands[1].view = column(c.x.data(), 2).batched(4, kHuge); },
     "operand x is out of reach: strides 1, 1, " + std::to_string(kHuge) +
         " over 2-by-1 entries of 4 problems leave the address space"},
    {"ResultOverTheStatus",
     [](Call& c) {
         c.results[0].view =
             strided(reinterpret_cast<double*>(c.status.data()), 1, 1, 1, 1).batched(4, 8);
     },
     "the result value overlaps the status: expected memory of its own"},
    {"ResultOverTheRows",
     [](Call& c) {
         c.rows = {0, 1, 2, 3};
         c.results[0].view =
             strided(reinterpret_cast<double*>(c.rows.data()), 1, 1, 1, 1).batched(4);
     },
     "the result value overlaps the list of rows: expected memory of its own"},
    {"MisalignedOperand",
     [](Call& c) {
         c.operands[0].view = ConstView(reinterpret_cast<const char*>(c.a.data()) + 4,
                                        ScalarType::float64, 3, 2, 2, 1);
     },
     "operand A is misaligned: found an address that is 4 past a multiple of 8, expected a "
     "multiple of 8"},
};

INSTANTIATE_TEST_SUITE_P(Each, RunMistake, ::testing::ValuesIn(kMistakes),
                         [](const auto& info) { return info.param.name; });

TEST(RunErrors, AnswerAWorkspaceThatIsTooSmallOrHasAResultInIt) {
    // Its workspace is not empty: a Cholesky factor lies there.
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", 40, 30)}, {.wrt = {"X"}});
    ASSERT_GT(plan.workspace_bytes(), 40 * 30 * sizeof(double));
    const std::vector<double> x(40 * 30, 1.0);
    double value = 0;
    std::vector<double> gradient(x.size());
    Workspace small(plan.workspace_bytes() - 1);
    RunOptions options;
    options.workspace = &small;
    const auto run = [&](const View& to) {
        return message_of([&] { plan.run({x}, {View(value).batched(1), to}, {}, options); });
    };
    EXPECT_EQ(run(gradient), "the workspace has " + std::to_string(plan.workspace_bytes() - 1) +
                                 " bytes: expected at least " +
                                 std::to_string(plan.workspace_bytes()));
    Workspace room(plan);
    options.workspace = &room;
    EXPECT_EQ(run(row_major(reinterpret_cast<double*>(room.bytes().data()), 40, 30).batched(1)),
              "the result gradient X overlaps the workspace: expected memory of its own");
    EXPECT_EQ(run(gradient), "no exception");
    Workspace moved = std::move(room);
    options.workspace = &moved;
    EXPECT_EQ(run(gradient), "no exception");
}

TEST(RunErrors, AnswerRowsWhereNothingIsBatched) {
    const Plan plan = make_plan(parse("norm2(x)^2"), {shared("x", 2)});
    const std::vector<double> x(2);
    const std::vector<std::int64_t> rows = {0};
    double value = 0;
    RunOptions options;
    options.rows = rows;
    EXPECT_EQ(message_of([&] { plan.run({x}, {value}, {}, options); }),
              "1 rows are given: expected none, since no operand of the plan is batched");
}

TEST(RunArguments, OfAnEmptyBatchMayBeNull) {
    const Plan plan =
        make_plan(parse("norm2(A*x - b)^2"), {shared("A", 3, 2), batched("x", 2), batched("b", 3)},
                  {.wrt = {"x"}});
    const std::vector<double> a(6, 1.0);
    std::vector<double> none;
    const RunSummary summary = plan.run({a, none, none}, {none, none});
    EXPECT_EQ(summary.problems, 0);
    EXPECT_EQ(summary.failed, 0);
}

TEST(RunArguments, OfEmptyMatricesLeaveTheBatchToTheResults) {
    const Plan plan = make_plan(parse("norm2(x)^2"), {batched("x", 0)});
    const std::vector<double> none;
    std::vector<double> value(3, 1.0);
    EXPECT_EQ(plan.run({none}, {value}).problems, 3);
    EXPECT_EQ(value, std::vector<double>(3, 0.0));
}

}  // namespace
}  // namespace matgrad
