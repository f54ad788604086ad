// What a plan says of itself, and every mistake a caller can make.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
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
    return message_of<OperandError>(
        [&] { (void)make_plan(least_squares(), operands, 1, options); });
}

std::string size_error(const std::vector<Operand>& operands) {
    return message_of<ShapeError>(
        [&] { (void)make_plan(least_squares(), operands, 1, gradient_of("x")); });
}

TEST(Plan, ListsItsOperandsAsTheyWereGivenAndItsOutputsInOrder) {
    PlanOptions options;
    options.wrt = {"x", "A"};
    const Plan plan = make_plan(least_squares(), kOperands, 5, options);
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
    EXPECT_FALSE(make_plan(least_squares(), shared, 1, gradient_of("x")).outputs()[1].batched);
    PlanOptions options = gradient_of("x");
    options.reduction = Reduction::sum;
    EXPECT_FALSE(make_plan(least_squares(), kOperands, 1, options).outputs()[1].batched);
}

TEST(Plan, GivesOneNumberForAnEntry) {
    PlanOptions options = gradient_of("A");
    options.entry = Entry{2, 1};
    const Plan plan = make_plan(least_squares(), kOperands, 1, options);
    EXPECT_EQ(plan.outputs()[1].rows, 1);
    EXPECT_EQ(plan.outputs()[1].cols, 1);
    options.entry = Entry{3, 0};
    const std::string message = plan_error(kOperands, options);
    EXPECT_MENTIONS(message, "entry 3,0");
    EXPECT_MENTIONS(message, "3-by-2");
    options.entry = Entry{0, -1};
    EXPECT_MENTIONS(plan_error(kOperands, options), "entry 0,-1");
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
        [&] { (void)make_plan(parse("logdet(X)"), operands, 1, gradient_of("X")); });
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
        message_of<NameError>([&] { (void)make_plan(least_squares(), kOperands, 1, twice); }),
        "x is asked for twice");
    EXPECT_MENTIONS(message_of<NameError>(
                        [&] { (void)make_plan(least_squares(), kOperands, 1, gradient_of("y")); }),
                    "y");
    EXPECT_MENTIONS(message_of<OperandError>(
                        [&] { (void)make_plan(least_squares(), kOperands, -1, gradient_of("x")); }),
                    "batch is -1");
    EXPECT_MENTIONS(
        message_of<ShapeError>([&] { (void)make_plan(parse("A*x"), kOperands, 1, PlanOptions()); }),
        "expected a scalar");
}

/// A run of least squares with every argument in reach.
class RunErrors : public ::testing::Test {
protected:
    static constexpr std::int64_t kBatch = 4;
    static constexpr double kUntouched = -77;

    std::string run() {
        return message_of<OperandError>([this] {
            plan_.run(kBatch, operands_, results_, status_,
                      std::span<std::byte>(workspace_begin_, workspace_size_));
        });
    }
    void TearDown() override {
        for (const double x : memory_) {  // results lie in here, whatever the mistake
            EXPECT_EQ(x, kUntouched) << "something was written before the mistake was found";
        }
    }

    Plan plan_ = make_plan(least_squares(), kOperands, kBatch, gradient_of("x"));
    std::vector<double> a_ = std::vector<double>(6, 1.0);
    std::vector<double> x_ = std::vector<double>(2 * kBatch, 1.0);
    std::vector<double> b_ = std::vector<double>(3 * kBatch, 1.0);
    std::vector<double> memory_ = std::vector<double>(64, kUntouched);
    std::vector<ConstStrided> operands_{ConstStrided::contiguous(a_.data(), 3, 2),
                                        ConstStrided::contiguous(x_.data(), 2, 1),
                                        ConstStrided::contiguous(b_.data(), 3, 1)};
    std::vector<Strided> results_{Strided::contiguous(memory_.data(), 1, 1),
                                  Strided::contiguous(memory_.data() + 16, 2, 1)};
    std::vector<std::int32_t> status_ = std::vector<std::int32_t>(kBatch);
    std::vector<std::byte> workspace_ = std::vector<std::byte>(plan_.workspace_bytes() + 192);
    std::byte* workspace_begin_ =
        workspace_.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace_.data()) % 64) % 64;
    std::size_t workspace_size_ = plan_.workspace_bytes();
};

TEST_F(RunErrors, NameAnOperandWithoutData) {
    operands_[2].data = nullptr;
    EXPECT_MENTIONS(run(), "operand b has no data");
}

TEST_F(RunErrors, NameAResultWithoutData) {
    results_[1].data = nullptr;
    EXPECT_MENTIONS(run(), "gradient x has no data");
}

TEST_F(RunErrors, NameMisalignedData) {
    operands_[0].data = reinterpret_cast<const char*>(a_.data()) + 4;
    EXPECT_MENTIONS(run(), "operand A is misaligned");
}

TEST_F(RunErrors, NameTheOperandAResultOverlaps) {
    results_[1] = Strided::contiguous(x_.data(), 2, 1);
    const std::string message = run();
    EXPECT_MENTIONS(message, "gradient x overlaps operand x");
}

TEST_F(RunErrors, NameTheOtherResultAResultOverlaps) {
    results_[1] = Strided::contiguous(memory_.data() + 3, 2, 1);
    EXPECT_MENTIONS(run(), "gradient x overlaps the result value");
}

TEST_F(RunErrors, NameAResultThatOverlapsTheWorkspace) {
    results_[1].data = workspace_begin_;
    if (workspace_size_ == 0) {
        GTEST_SKIP() << "this plan needs no workspace";
    }
    EXPECT_MENTIONS(run(), "overlaps the workspace");
}

TEST_F(RunErrors, NameAResultThatWritesOneAddressTwice) {
    results_[1].batch_stride = 1;
    EXPECT_MENTIONS(run(), "gradient x writes one address twice");
}

TEST_F(RunErrors, NameStridesThatLeaveTheAddressSpace) {
    operands_[1].batch_stride = std::numeric_limits<std::int64_t>::max();
    EXPECT_MENTIONS(run(), "operand x is out of reach");
}

TEST_F(RunErrors, CountOperandsResultsAndStatus) {
    operands_.pop_back();
    EXPECT_MENTIONS(run(), "2 operands are given: expected 3");
    operands_.push_back(ConstStrided::contiguous(b_.data(), 3, 1));
    results_.pop_back();
    EXPECT_MENTIONS(run(), "1 results are given: expected 2");
    results_.push_back(Strided::contiguous(memory_.data() + 16, 2, 1));
    status_.pop_back();
    EXPECT_MENTIONS(run(), "status has 3 entries: expected 4");
}

TEST_F(RunErrors, AnswerAWorkspaceTooSmallOrMisaligned) {
    if (workspace_size_ == 0) {
        GTEST_SKIP() << "this plan needs no workspace";
    }
    --workspace_size_;
    EXPECT_MENTIONS(run(), "the workspace has " + std::to_string(workspace_size_));
    ++workspace_size_;
    workspace_begin_ += 8;
    EXPECT_MENTIONS(run(), "the workspace is misaligned");
}

TEST_F(RunErrors, AnswerANegativeBatch) {
    EXPECT_MENTIONS(message_of<OperandError>([this] { plan_.run(-1, operands_, results_, {}); }),
                    "batch is -1");
}

TEST(RunArguments, OfAnEmptyBatchMayBeNull) {
    const Plan plan = make_plan(least_squares(), kOperands, 0, gradient_of("x"));
    const std::vector<double> a(6, 1.0);
    const std::vector<ConstStrided> operands{ConstStrided::contiguous(a.data(), 3, 2), {}, {}};
    const std::vector<Strided> results(2);
    const RunSummary summary = plan.run(0, operands, results);
    EXPECT_EQ(summary.problems, 0);
    EXPECT_EQ(summary.failed, 0);
}

}  // namespace
}  // namespace matgrad
