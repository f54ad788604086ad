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
    EXPECT_EQ(work.bytes(), 10 * 8 * (64 * 16 + 64 * 16 + 1));
    // syrk n(n+1)m, potrf n^3/3, two triangular solves of n^2 m each, and the entrywise part: the
    // sum of the 2n operations of logarithms on the diagonal, twice.
    const double matrix = 16 * 17 * 64 + 16.0 * 16 * 16 / 3 + 2 * 16 * 16 * 64;
    EXPECT_GE(work.operations(), 10 * matrix);
    EXPECT_LE(work.operations(), 10 * (matrix + 64 * 16 + 4 * 16));
}

TEST(Work, CountsASharedOperandOnce) {
    const char* sizes = R"("function": "frobenius", "sizes": {"m": 8, "n": 4, "p": 6}, "batch": 100,
                           "type": "float32", "outputs": "gradient")";
    EXPECT_EQ(work_of(sizes).bytes(), 4 * 100 * (8 * 4 + 6 * 4 + 8 * 4));
    const Work shared = work_of(std::string(sizes) + R"(, "batched": ["X"])");
    EXPECT_EQ(shared.bytes(), 4 * (100 * (8 * 4 + 8 * 4) + 6 * 4));
    // A'A once, n(n+1)p, and X times it for each problem, 2 m n n.
    EXPECT_EQ(shared.operations(), 4 * 5 * 6 + 100 * 2 * 8 * 4 * 4);
}

TEST(Work, LeavesOutOperandsThatNothingNeeds) {
    // The gradient of tr(A*X*B) is A'*B': X is not read.
    const Work work = work_of(R"("function": "bilinear_trace", "sizes": {"p": 5, "m": 3, "n": 4},
                                 "batch": 7, "outputs": "gradient")");
    EXPECT_EQ(work.bytes(), 8 * 7 * (5 * 3 + 4 * 5 + 3 * 4));
    EXPECT_EQ(work.operations(), 7 * 2 * 3 * 5 * 4);
}

TEST(Work, CountsOfATraceTheDiagonalAlone) {
    const Work work = work_of(R"json("function": "trace", "f": "tr(X)", "wrt": ["X"],
        "declare": ["X=n,n"], "sizes": {"n": 9}, "batch": 2, "outputs": "value")json");
    EXPECT_EQ(work.bytes(), 8 * 2 * (9 + 1));
}

TEST(Work, TellsReadingFromWriting) {
    const Work work =
        work_of(R"("function": "least_squares", "sizes": {"m": 64, "n": 16}, "batch": 10)");
    EXPECT_EQ(work.bytes_read, 10 * 8 * (64 * 16 + 16 + 64));
    EXPECT_EQ(work.bytes_written, 10 * 8 * (16 + 1));
}

TEST(Work, OfASumOverTheBatchWritesItOnce) {
    const Work work = work_of(R"json("function": "squared_loss", "f": "0.5*norm2(x - V*u)^2",
        "wrt": ["V"], "declare": ["x=d", "V=d,r", "u=r"], "sizes": {"d": 7, "r": 5},
        "batched": ["x", "u"], "batch": 100, "type": "float32", "reduce": "sum")json");
    EXPECT_EQ(work.bytes_written, 4 * (1 + 7 * 5));
    EXPECT_EQ(work.bytes_read, 4 * (100 * (7 + 5) + 7 * 5));
}

TEST(Work, CountsOperationsByTheTypeThatAStepComputesIn) {
    const char* fields = R"("function": "log_det_gram", "sizes": {"m": 64, "n": 16}, "batch": 10,
                            "type": "float32")";
    // Gram matrix and factor of float data in double, as the Program of a robust plan says.
    const double factored = 10 * (16 * 17 * 64 + 16.0 * 16 * 16 / 3);
    EXPECT_GE(work_of(fields).double_operations, factored);
    const Work fast = work_of(std::string(fields) + R"(, "accuracy": "fast")");
    EXPECT_EQ(fast.double_operations, 0);
    EXPECT_GE(fast.float_operations, factored);
}

/// Copies 10, reads 4 bytes a second, and computes 100 float or 50 double operations.
Ceilings small_ceilings() {
    Ceilings ceilings;
    ceilings.float32 = {10, 100, 4, 5};
    ceilings.float64 = {10, 50, 4, 5};
    return ceilings;
}

TEST(Bound, OnAProcessorIsTheLargestOfCopyingReadingAndComputing) {
    const Ceilings ceilings = small_ceilings();
    EXPECT_EQ(bound_on_processor({100, 300, 1, 1}, ceilings), 40);
    EXPECT_EQ(bound_on_processor({300, 100, 1, 1}, ceilings), 75);
    EXPECT_EQ(bound_on_processor({1, 1, 1000, 0}, ceilings), 10);
    EXPECT_EQ(bound_on_processor({1, 1, 0, 1000}, ceilings), 20);
    EXPECT_EQ(bound_on_processor({1, 1, 1000, 1000}, ceilings), 30);
}

TEST(Bound, OnAGpuIsTheLargerOfCopyingAndComputingInOneType) {
    const Rates rates = small_ceilings().float32;
    EXPECT_EQ(bound_on_gpu({300, 100, 10, 10}, rates), 40);
    EXPECT_EQ(bound_on_gpu({1, 1, 500, 1500}, rates), 20);
}

/// As much as both functions take at least, twice.
struct Grains {
    static constexpr std::size_t kWords = 2 * detail::kStreamGrain / sizeof(std::uint64_t);
    alignas(64) std::uint64_t words[kWords];
    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(words); }
};

TEST(CpuCeilings, ReadEveryWordOnce) {
    Grains grains{};
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < Grains::kWords; ++i) {
        grains.words[i] = (i + 1) * 0x9E3779B97F4A7C15U;
        expected ^= grains.words[i];
    }
    EXPECT_EQ(detail::read_array(grains.data(), sizeof grains.words), expected);
}

TEST(CpuCeilings, CopyEveryWordAndNoOther) {
    Grains from{};
    Grains to{};
    for (std::size_t i = 0; i < Grains::kWords; ++i) {
        from.words[i] = i + 1;
    }
    detail::stream_array(from.data(), detail::kStreamGrain, to.data());
    for (std::size_t i = 0; i < Grains::kWords; ++i) {
        EXPECT_EQ(to.words[i], i < Grains::kWords / 2 ? i + 1 : 0) << i;
    }
}

TEST(CpuCeilings, ArePositiveAndCountAMultiplyAddAsTwo) {
    // 12 chains of at least one lane.
    EXPECT_GE(detail::multiply_add(ScalarType::float64, 10), 2 * 12 * 10);
    EXPECT_GE(detail::multiply_add(ScalarType::float32, 10),
              detail::multiply_add(ScalarType::float64, 10));
    const Ceilings ceilings = measure_cpu_ceilings(2);
    for (const Rates& rates : {ceilings.float32, ceilings.float64}) {
        for (const double rate : {rates.copy_bytes_per_s, rates.read_bytes_per_s,
                                  rates.memcpy_bytes_per_s, rates.multiply_add_flops_per_s}) {
            EXPECT_GT(rate, 1e6);
        }
    }
}

}  // namespace
}  // namespace matgrad::bench
