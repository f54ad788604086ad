/// What a call may ask for beside its batch.

#include "executors/call_wishes.hpp"

#include <gtest/gtest.h>

#include "executors/every_result.hpp"
#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

using Data = EveryResultData;
using Results = EveryResultResults;

class CallWishesOf : public testing::TestWithParam<std::tuple<ExecutorUnderTest, ScalarType>> {
protected:
    [[nodiscard]] static const ExecutorUnderTest& executor() { return std::get<0>(GetParam()); }
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
    EveryResult every{type()};
};
INSTANTIATE_TEST_SUITE_P(Run, CallWishesOf,
                         testing::Combine(testing::ValuesIn(executors_under_test()),
                                          testing::ValuesIn(kTypes)),
                         name_of_executor_and_type);

TEST_P(CallWishesOf, ResultsAreAddedToBetaTimesWhatIsThere) {
    expect_added_results(executor(), type());
}

TEST_P(CallWishesOf, ProblemsAreThoseThatTheRowsName) {
    expect_named_problems(executor(), type());
}

/// As a training loop does it: the gradient of a batch, mini-batch by mini-batch.
TEST_P(CallWishesOf, ASumOverMiniBatchesIsThatOverTheBatch) {
    constexpr std::int64_t kBatch = 60;
    constexpr std::int64_t kPart = 20;
    const Data data(type(), kBatch, Order::rows, false);
    Results whole(type(), kBatch, Order::rows, false, {});
    run(executor(), every.program, kBatch, data.all(), whole.all(), 2);
    Results parts(type(), kPart, Order::rows, false, {});
    Naive sizes(EveryResult::kSize, EveryResult::kSize);
    for (std::int64_t first = 0; first < kBatch; first += kPart) {
        CallWishes wishes;
        wishes.beta.assign(kOutputs, 0);
        wishes.beta[kFoldedSum] = first == 0 ? 0 : 1;
        for (std::int64_t p = 0; p < kPart; ++p) {
            wishes.rows.push_back((first + p) * 7 % kBatch);
        }
        run(executor(), every.program, kPart, data.all(), parts.all(), 2, wishes);
    }
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const Naive g = transpose(matrix(whole.each[kSolution], p));
        sizes = plus(sizes, multiply(absolute(matrix(data.x, p)), transpose(absolute(g))));
    }
    // Each term is rounded, so is each sum over a tile of up to kPart, and each of the parts.
    const long double bound = (kPart + 8) * unit(type()) + kBatch * unit(ScalarType::float64);
    expect_within(matrix(parts.each[kFoldedSum], 0), matrix(whole.each[kFoldedSum], 0),
                  scaled(2 * bound, sizes));
}

}  // namespace
}  // namespace matgrad::test
