// The short way of a call takes what is plainly right, and leaves the rest to the long one: it never takes a mistake.

#include "api/quick_call.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

/// norm2(A*x - b)^2 with a shared A.
struct Call {
    std::vector<Operand> operands{shared("A", 3, 2), batched("x", 2), batched("b", 3)};
    std::vector<OutputInfo> outputs{{OutputKind::value, "", 1, 1, true},
                                    {OutputKind::gradient, "x", 2, 1, true}};
    std::vector<std::string> operand_names{"A", "x", "b"};
    std::vector<std::string> output_names{"value", "gradient x"};
    std::vector<std::size_t> operand_of{1, 0, 2};  // the Program has x first
    std::int64_t batch = 1;
    std::vector<double> memory = std::vector<double>(64);
    std::vector<std::int32_t> status = std::vector<std::int32_t>(4);
    std::vector<OperandView> in;
    std::vector<ResultView> out;
    detail::QuickCall quick;

    explicit Call(std::int64_t problems) : batch(problems) {
        double* const at = memory.data();
        in = {{"A", row_major(at, 3, 2)},
              {"x", column(at + 8, 2).batched(batch)},
              {"b", column(at + 16, 3).batched(batch)}};
        out = {{"value", row_major(at + 32, 1, 1).batched(batch)},
               {"gradient x", column(at + 40, 2).batched(batch)}};
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() = default;

    bool bind() {
        const detail::QuickBinding binding(
            {operands, outputs, operand_names, output_names, ScalarType::float64}, operand_of);
        return binding.bind(in, out, std::span(status).first(static_cast<std::size_t>(batch)),
                            quick);
    }
};

TEST(QuickCall, TakesPlainCallsInTheOrderOfTheProgram) {
    for (const std::int64_t batch : {1, 4}) {
        Call call(batch);
        ASSERT_TRUE(call.bind());
        EXPECT_EQ(call.quick.batch, batch);
        EXPECT_EQ(call.quick.operands[0].data, call.memory.data() + 8);
        EXPECT_EQ(call.quick.operands[1].data, call.memory.data());
        EXPECT_EQ(call.quick.operands[1].row_stride, 2);
        EXPECT_EQ(call.quick.operands[2].batch_stride, 3);
        EXPECT_EQ(call.quick.results[1].data, call.memory.data() + 40);
        for (OperandView& view : call.in) {
            view.name = {};
        }
        for (ResultView& view : call.out) {
            view.name = {};
        }
        EXPECT_TRUE(call.bind());
    }
}

TEST(QuickCall, TakesStridesThatRepeatNoAddress) {
    Call call(1);
    call.in[0] = {"A", strided(call.memory.data(), 3, 2, 1, 3)};
    call.out[1] = {"gradient x", strided(call.memory.data() + 40, 2, 1, 5, 1).batched(1)};
    ASSERT_TRUE(call.bind());
    EXPECT_EQ(call.quick.operands[1].col_stride, 3);
    EXPECT_EQ(call.quick.results[1].row_stride, 5);
}

struct Change {
    const char* name;
    std::function<void(Call&)> make;
};

/// Mistakes, and what may be right but takes a longer look.
const Change kChanges[] = {
    {"OtherName", [](Call& c) { c.in[0].name = "B"; }},
    {"OtherOrder", [](Call& c) { std::swap(c.in[0], c.in[1]); }},
    {"SomeUnnamed", [](Call& c) { c.in[1].name = {}; }},
    {"FirstUnnamed", [](Call& c) { c.in[0].name = {}; }},
    {"ResultUnnamed", [](Call& c) { c.out[1].name = {}; }},
    {"TooFew", [](Call& c) { c.in.pop_back(); }},
    {"TooMany", [](Call& c) { c.out.push_back(c.out[0]); }},
    {"Null",
     [](Call& c) {
         c.in[0] = {"A", row_major(static_cast<const double*>(nullptr), 3, 2)};
     }},
    {"NoMemory",
     [](Call& c) {
         c.in[0] = {"A", ConstView()};
     }},
    {"OtherType",
     [](Call& c) {
         c.in[0] = {"A", row_major(reinterpret_cast<const float*>(c.memory.data()), 3, 2)};
     }},
    {"Misaligned",
     [](Call& c) {
         c.in[0] = {"A", ConstView(reinterpret_cast<const std::byte*>(c.memory.data()) + 4,
                                   ScalarType::float64, 3, 2, 2, 1)};
     }},
    {"OtherRows",
     [](Call& c) {
         c.in[0] = {"A", row_major(c.memory.data(), 2, 2)};
     }},
    {"OtherCols",
     [](Call& c) {
         c.in[0] = {"A", row_major(c.memory.data(), 3, 3)};
     }},
    {"SharedIsABatch", [](Call& c) { c.in[0].view = c.in[0].view.batched(c.batch); }},
    {"BatchIsOne",
     [](Call& c) {
         c.in[2] = {"b", column(c.memory.data() + 16, 3)};
     }},
    {"OtherBatch",
     [](Call& c) {
         c.in[2] = {"b", column(c.memory.data() + 16, 3).batched(c.batch + 1)};
     }},
    {"OtherBatchOfAResult",
     [](Call& c) {
         c.out[0] = {"value", row_major(c.memory.data() + 32, 1, 1).batched(3)};
     }},
    {"NegativeBatch",
     [](Call& c) {
         c.in[1] = {"x", column(c.memory.data() + 8, 2).batched(-1)};
     }},
    {"NoProblem",
     [](Call& c) {
         c.in[1] = {"x", column(c.memory.data() + 8, 2).batched(0)};
     }},
    {"NegativeStride",
     [](Call& c) {
         c.in[0] = {"A", strided(c.memory.data() + 6, 3, 2, -2, 1)};
     }},
    {"PastItsMemory", [](Call& c) { c.in[0].view = c.in[0].view.within(5); }},
    {"ResultPastItsMemory", [](Call& c) { c.out[1].view = c.out[1].view.within(1); }},
    {"WildStride",
     [](Call& c) {
         c.in[0] = {"A", strided(c.memory.data(), 3, 2, std::int64_t{1} << 60, 1)};
     }},
    {"Added", [](Call& c) { c.out[0].beta = 1; }},
    {"ResultTwice",
     [](Call& c) {
         c.out[1] = {"gradient x", strided(c.memory.data() + 40, 2, 1, 0, 1).batched(1)};
     }},
    {"ResultOverAnOperand",
     [](Call& c) {
         c.out[1] = {"gradient x", column(c.memory.data() + 9, 2).batched(c.batch)};
     }},
    {"ResultOverAResult",
     [](Call& c) {
         c.out[1] = {"gradient x", column(c.memory.data() + 31, 2).batched(c.batch)};
     }},
    {"ResultOverTheStatus",
     [](Call& c) {
         auto* const status = reinterpret_cast<double*>(c.status.data());
         c.out[0] = {"value", View(status, ScalarType::float64, 1, 1, 1, 1).batched(c.batch)};
     }},
};

class QuickCallChange : public testing::TestWithParam<Change> {};
TEST_P(QuickCallChange, IsNotTaken) {
    Call one(1);
    GetParam().make(one);
    EXPECT_FALSE(one.bind());
    Call several(4);
    GetParam().make(several);
    EXPECT_FALSE(several.bind());
}
INSTANTIATE_TEST_SUITE_P(Every, QuickCallChange, testing::ValuesIn(kChanges),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(QuickCall, LeavesBatchesThatInterleaveToTheLongWay) {
    Call call(4);
    call.out[1] = {"gradient x", column(call.memory.data() + 40, 2).batched(4, 1)};
    EXPECT_FALSE(call.bind());
}

TEST(QuickCall, HasNoStatusOrAnEntryPerProblem) {
    Call call(4);
    const detail::QuickBinding binding(
        {call.operands, call.outputs, call.operand_names, call.output_names, ScalarType::float64},
        call.operand_of);
    EXPECT_TRUE(binding.bind(call.in, call.out, {}, call.quick));
    EXPECT_FALSE(binding.bind(call.in, call.out, std::span(call.status).first(3), call.quick));
}

}  // namespace
}  // namespace matgrad
