// One small problem at a time against the oracle: every function of the language, sizes 1 to 8 and those where vectors
// of 8 and 16 begin and end.

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "road/road_check.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"

namespace matgrad {
namespace {

/// A column fewer than rows each: a Gram matrix of a tall matrix has a factor.
Sizes sizes_of(std::int64_t k) {
    const auto less = [k](std::int64_t by) { return std::max<std::int64_t>(1, k - by); };
    return {{"m", k}, {"n", less(1)}, {"p", k}, {"q", less(2)}};
}

constexpr std::int64_t kSizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16};
constexpr std::int64_t kSizesBesideShared[] = {1, 2, 4, 8, 16};

/// Returns how many problems had something to compare.
template <typename T>
int expect_sizes(const Expr& f, const std::string& wrt, std::span<const std::int64_t> sizes,
                 Batched batched, std::int64_t batch) {
    int compared = 0;
    for (const std::int64_t k : sizes) {
        SCOPED_TRACE(k);
        compared += matgrad::expect_row<T>(f, wrt, {sizes_of(k), batched, batch}, Accuracy::robust);
    }
    return compared;
}

/// One problem; and a variable of two problems beside operands that they share.
template <typename T>
void expect_single(const Expr& f, const std::string& wrt) {
    EXPECT_GT(expect_sizes<T>(f, wrt, kSizes, Batched::all, 1), 5);
    EXPECT_GT(expect_sizes<T>(f, wrt, kSizesBesideShared, Batched::variable, 2), 4);
}

class SingleRow : public testing::TestWithParam<CookbookRow> {};
TEST_P(SingleRow, AgreesWithTheOracle) {
    const Expr f = parse(GetParam().f, GetParam().declarations);
    expect_single<double>(f, GetParam().wrt);
    expect_single<float>(f, GetParam().wrt);
}
INSTANTIATE_TEST_SUITE_P(Row, SingleRow, testing::ValuesIn(read_cookbook()));

class SingleFunction : public testing::TestWithParam<FunctionCase> {};
TEST_P(SingleFunction, AgreesWithTheOracle) {
    const Expr f = parse(GetParam().f, parse_declarations(GetParam().declarations));
    expect_single<double>(f, GetParam().wrt);
    expect_single<float>(f, GetParam().wrt);
}
INSTANTIATE_TEST_SUITE_P(Case, SingleFunction, testing::ValuesIn(kFunctions));

}  // namespace
}  // namespace matgrad
