// What a case must move and compute, by hand.

#include "bench/work.hpp"

#include <gtest/gtest.h>

#include "bench/cpu_ceilings.hpp"
#include "bench/suite.hpp"

namespace matgrad::bench {
namespace {

Work work_of(const std::string& fields) {
    return minimal_work(
        parse_suite(R"({"name": "s", "cases": [{)" + fields + "}]}", "s").cases.at(0));
}

TEST(Work, OfLogDetGramIsItsOperandItsResultsAndItsSteps) {
    // m=64, n=16, 10 problems of doubles: X read, G and the value written.
    const Work work =
        work_of(R"("function": "log_det_gram", "sizes": {"m": 64, "n": 16}, "batch": 10)");
    EXPECT_EQ(work.bytes, 10 * 8 * (64 * 16 + 64 * 16 + 1));
    // syrk n(n+1)m, potrf n^3/3, two triangular solves of n^2 m each, and the entrywise part: the
    // sum of the 2n operations of logarithms on the diagonal, twice.
    const double matrix = 16 * 17 * 64 + 16.0 * 16 * 16 / 3 + 2 * 16 * 16 * 64;
    EXPECT_GE(work.operations, 10 * matrix);
    EXPECT_LE(work.operations, 10 * (matrix + 64 * 16 + 4 * 16));
}

TEST(Work, CountsASharedOperandOnce) {
    const char* sizes = R"("function": "frobenius", "sizes": {"m": 8, "n": 4, "p": 6}, "batch": 100,
                           "type": "float32", "outputs": "gradient")";
    EXPECT_EQ(work_of(sizes).bytes, 4 * 100 * (8 * 4 + 6 * 4 + 8 * 4));
    const Work shared = work_of(std::string(sizes) + R"(, "batched": ["X"])");
    EXPECT_EQ(shared.bytes, 4 * (100 * (8 * 4 + 8 * 4) + 6 * 4));
    // A'A once, n(n+1)p, and X times it for each problem, 2 m n n.
    EXPECT_EQ(shared.operations, 4 * 5 * 6 + 100 * 2 * 8 * 4 * 4);
}

TEST(Work, LeavesOutOperandsThatNothingNeeds) {
    // The gradient of tr(A*X*B) is A'*B': X is not read.
    const Work work = work_of(R"("function": "bilinear_trace", "sizes": {"p": 5, "m": 3, "n": 4},
                                 "batch": 7, "outputs": "gradient")");
    EXPECT_EQ(work.bytes, 8 * 7 * (5 * 3 + 4 * 5 + 3 * 4));
    EXPECT_EQ(work.operations, 7 * 2 * 3 * 5 * 4);
}

TEST(Work, CountsOfATraceTheDiagonalAlone) {
    const Work work = work_of(R"json("function": "trace", "f": "tr(X)", "wrt": ["X"],
        "declare": ["X=n,n"], "sizes": {"n": 9}, "batch": 2, "outputs": "value")json");
    EXPECT_EQ(work.bytes, 8 * 2 * (9 + 1));
}

TEST(Bound, IsTheLargerOfBothTimes) {
    EXPECT_EQ(bound_seconds({100, 10}, {10, 10}), 10);
    EXPECT_EQ(bound_seconds({10, 100}, {10, 5}), 20);
}

TEST(CpuCeilings, ArePositiveAndCountAMultiplyAddAsTwo) {
    // 12 chains of at least one lane.
    EXPECT_GE(detail::multiply_add(ScalarType::float64, 10), 2 * 12 * 10);
    EXPECT_GE(detail::multiply_add(ScalarType::float32, 10),
              detail::multiply_add(ScalarType::float64, 10));
    const Ceilings ceilings = measure_cpu_ceilings(2);
    for (const Rates& rates : {ceilings.float32, ceilings.float64}) {
        EXPECT_GT(rates.copy_bytes_per_s, 1e6);
        EXPECT_GT(rates.multiply_add_flops_per_s, 1e6);
    }
}

}  // namespace
}  // namespace matgrad::bench
