/// Outputs that are repeated or averaged, batches in which problems or all of them fail, and TF32.
/// On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cuda/device_run.hpp"
#include "cuda/flavour.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class Forms : public testing::TestWithParam<ScalarType> {
protected:
    [[nodiscard]] static ScalarType type() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Types, Forms, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

RunResult run_with(const gpu::ExecutorOptions& options, const Program& program, std::int64_t batch,
                   const std::vector<const Matrices*>& operands,
                   const std::vector<Matrices*>& results) {
    return run_on_device(*module_under_test().make_executor(program, options), batch, operands,
                         results);
}

TEST_P(Forms, ARepeatedOutputIsWrittenForEveryProblemThatSucceeds) {
    ProgramBuilder build(type());
    const ValueId s = build.operand("S", 3, 2, false);
    const ValueId a = build.operand("A", 2, 2, true);
    const ValueId twice = build.value(3, 2, Scope::shared);
    build.step(
        Map{{{{use(s), Broadcast::none}}, {{MapOp::load, 0, -1, 0}, {MapOp::scale, 0, -1, 2}}}},
        twice);
    const ValueId l = build.value(2, 2);
    build.step(Potrf{use(a)}, l);
    const ValueId root = build.value(1, 1);
    build.step(Copy{{l, false, 0, 0}}, root);
    build.output(twice);
    build.output(twice, true);
    build.output(s);
    build.output(root);
    Program program = build.finish();
    for (std::size_t i = 0; i < 3; ++i) {
        program.outputs[i].repeated = true;
    }
    for (const std::int64_t batch : {0, 1, 11}) {
        Matrices S(type(), 1, 3, 2, Order::columns);
        Matrices A(type(), batch, 2, 2);
        S.fill_random(1);
        A.make_positive(2, 1);
        for (std::int64_t p = 3; p < batch; p += 4) {
            A.set(p, 1, 1, -1);
        }
        Matrices T(type(), batch, 3, 2, Order::padded_rows);
        Matrices flipped(type(), batch, 2, 3, Order::reversed_both, true);
        Matrices same(type(), batch, 3, 2);
        Matrices R(type(), batch, 1, 1);
        const RunResult result = run_with({}, program, batch, {&S, &A}, {&T, &flipped, &same, &R});
        for (std::int64_t p = 0; p < batch; ++p) {
            const bool fails = p % 4 == 3;
            EXPECT_EQ(result.status[static_cast<std::size_t>(p)],
                      fails ? make_status(StatusKind::not_positive, 2) : 0);
            EXPECT_EQ(std::isnan(R.get(p, 0, 0)), fails);
            for (std::int64_t r = 0; r < 3; ++r) {
                for (std::int64_t c = 0; c < 2; ++c) {
                    if (fails) {
                        EXPECT_TRUE(std::isnan(T.get(p, r, c)));
                        EXPECT_TRUE(std::isnan(flipped.get(p, c, r)));
                        EXPECT_TRUE(std::isnan(same.get(p, r, c)));
                        continue;
                    }
                    EXPECT_EQ(T.get(p, r, c), 2 * S.get(0, r, c));
                    EXPECT_EQ(flipped.get(p, c, r), 2 * S.get(0, r, c));
                    EXPECT_EQ(same.get(p, r, c), S.get(0, r, c));
                }
            }
        }
    }
}

/// y = L^-1 b of S = L L', and its sum or mean, in both directions.
Program summed_solve(ScalarType type, bool mean = false) {
    ProgramBuilder build(type);
    const ValueId s = build.operand("S", 3, 3, true);
    const ValueId b = build.operand("B", 3, 2, true);
    const ValueId l = build.value(3, 3);
    build.step(Potrf{use(s)}, l);
    const ValueId y = build.value(3, 2);
    build.step(Trsm{Side::left, true, false, use(l), use(b)}, y);
    const ValueId sum = build.value(3, 2, Scope::reduced);
    build.step(BatchReduce{use(y)}, sum);
    build.output(sum);
    build.output(sum, true);
    build.output(y);
    Program program = build.finish();
    program.outputs[0].mean = program.outputs[1].mean = mean;
    return program;
}

TEST_P(Forms, AMeanIsTheSumDividedByTheProblemsThatSucceeded) {
    const Program program = summed_solve(type());
    for (const std::int64_t batch : {1, 2, 40}) {
        for (const std::int64_t every : {1000, 3, 1}) {  // one in so many fails
            SCOPED_TRACE(testing::Message() << "batch " << batch << " fails every " << every);
            Matrices S(type(), batch, 3, 3);
            Matrices B(type(), batch, 3, 2);
            S.make_positive(1, 1);
            B.fill_random(2);
            std::int64_t failed = 0;
            for (std::int64_t p = every - 1; p < batch; p += every) {
                S.set(p, 0, 0, kNan);
                ++failed;
            }
            Matrices Y(type(), batch, 3, 2);
            Matrices sum(type(), 1, 3, 2);
            Matrices sum_flipped(type(), 1, 2, 3);
            EXPECT_EQ(
                run_with({}, program, batch, {&S, &B}, {&sum, &sum_flipped, &Y}).summary.failed,
                failed);
            Matrices mean(type(), 1, 3, 2, Order::strided);
            Matrices mean_flipped(type(), 1, 2, 3);
            const RunResult result = run_with({}, summed_solve(type(), true), batch, {&S, &B},
                                              {&mean, &mean_flipped, &Y});
            EXPECT_EQ(result.summary.failed, failed);
            for (std::int64_t r = 0; r < 3; ++r) {
                for (std::int64_t c = 0; c < 2; ++c) {
                    if (failed == batch) {
                        EXPECT_EQ(sum.get(0, r, c), 0);
                        EXPECT_TRUE(std::isnan(mean.get(0, r, c)));
                        EXPECT_TRUE(std::isnan(mean_flipped.get(0, c, r)));
                        continue;
                    }
                    const auto count = static_cast<double>(batch - failed);
                    const double want = sum.get(0, r, c) / count;
                    const auto u = static_cast<double>(unit(type()));
                    EXPECT_NEAR(mean.get(0, r, c), want, 4 * u * std::abs(want));
                    EXPECT_EQ(mean_flipped.get(0, c, r), mean.get(0, r, c));
                    EXPECT_EQ(sum_flipped.get(0, c, r), sum.get(0, r, c));
                }
            }
            // A mean is asked for, but what is not summed stays what it is.
            for (std::int64_t p = 0; p < batch; ++p) {
                EXPECT_EQ(std::isnan(Y.get(p, 2, 1)), p % every == every - 1);
            }
        }
    }
}

TEST_P(Forms, AMeanDividesWhatEachProblemHasAndWhatIsOneForAll) {
    for (const std::int64_t batch : {1, 40, 300}) {
        for (const std::int64_t every : {1000, 3, 1}) {  // one in so many fails
            SCOPED_TRACE(testing::Message() << "batch " << batch << " fails every " << every);
            ProgramBuilder build(type());
            const ValueId s = build.operand("S", 3, 3, true);
            const ValueId b = build.operand("B", 3, 2, true);
            const ValueId c = build.operand("C", 2, 2, false);
            const ValueId l = build.value(3, 3);
            build.step(Potrf{use(s)}, l);
            const ValueId y = build.value(3, 2);
            build.step(Trsm{Side::left, true, false, use(l), use(b)}, y);
            build.output(y);
            build.output(y, true);
            build.output(c);
            build.output(y);
            Program program = build.finish();
            program.outputs[0].mean = program.outputs[1].mean = program.outputs[2].mean = true;
            program.outputs[2].repeated = true;
            Matrices S(type(), batch, 3, 3);
            Matrices B(type(), batch, 3, 2);
            Matrices C(type(), 1, 2, 2);
            S.make_positive(1, 1);
            B.fill_random(2);
            C.fill_random(3);
            std::int64_t failed = 0;
            for (std::int64_t p = every - 1; p < batch; p += every) {
                S.set(p, 0, 0, kNan);
                ++failed;
            }
            Matrices mean(type(), batch, 3, 2);
            Matrices flipped(type(), batch, 2, 3, Order::padded_rows, true);
            Matrices same(type(), batch, 2, 2, Order::strided);
            Matrices plain(type(), batch, 3, 2);
            const RunResult result =
                run_with({}, program, batch, {&S, &B, &C}, {&mean, &flipped, &same, &plain});
            EXPECT_EQ(result.summary.failed, failed);
            const auto count = static_cast<double>(batch - failed);
            const auto u = static_cast<double>(unit(type()));
            for (std::int64_t p = 0; p < batch; ++p) {
                if (result.status[static_cast<std::size_t>(p)] != 0) {
                    EXPECT_TRUE(std::isnan(mean.get(p, 2, 1)) && std::isnan(flipped.get(p, 1, 2)));
                    EXPECT_TRUE(std::isnan(same.get(p, 0, 0)));
                    continue;
                }
                const double want = plain.get(p, 2, 1) / count;
                EXPECT_NEAR(mean.get(p, 2, 1), want, 2 * u * std::abs(want));
                EXPECT_EQ(flipped.get(p, 1, 2), mean.get(p, 2, 1));
                EXPECT_NEAR(same.get(p, 1, 0), C.get(0, 1, 0) / count, 2 * u);
            }
        }
    }
}

TEST_P(Forms, AMeanOverNoProblemIsZeroAsItsSumIs) {
    const Program program = summed_solve(type(), true);
    const Matrices S(type(), 0, 3, 3);
    const Matrices B(type(), 0, 3, 2);
    Matrices Y(type(), 0, 3, 2);
    Matrices mean(type(), 1, 3, 2);
    Matrices flipped(type(), 1, 2, 3);
    mean.fill_random(1);
    run_with({}, program, 0, {&S, &B}, {&mean, &flipped, &Y});
    EXPECT_EQ(mean.get(0, 2, 1), 0);
    EXPECT_EQ(flipped.get(0, 1, 2), 0);
}

TEST_P(Forms, WhereEveryProblemFailsSumsAreZeroAndResultsNan) {
    const Program program = summed_solve(type());
    constexpr std::int64_t kBatch = 21;
    Matrices S(type(), kBatch, 3, 3);
    Matrices B(type(), kBatch, 3, 2);
    S.make_positive(1, 1);
    B.fill_random(2);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        S.set(p, p % 3, p % 3, p % 2 == 0 ? kNan : -1);
    }
    Matrices Y(type(), kBatch, 3, 2);
    Matrices sum(type(), 1, 3, 2);
    Matrices flipped(type(), 1, 2, 3);
    const RunResult result = run_with({}, program, kBatch, {&S, &B}, {&sum, &flipped, &Y});
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const StatusKind kind = p % 2 == 0 ? StatusKind::not_finite : StatusKind::not_positive;
        EXPECT_EQ(result.status[static_cast<std::size_t>(p)], make_status(kind, p % 3 + 1));
        for (std::int64_t r = 0; r < 3; ++r) {
            EXPECT_TRUE(std::isnan(Y.get(p, r, 0)) && std::isnan(Y.get(p, r, 1)));
        }
    }
    EXPECT_EQ(sum.get(0, 0, 0), 0);
    EXPECT_EQ(flipped.get(0, 1, 2), 0);
}

TEST(TensorFloat, RoundsFactorsOnlyWhenAskedFor) {
    // Factors of 1 + 2^-13 are floats, but no numbers of 10 bits: TF32 takes them for 1.
    constexpr std::int64_t kSize = 64;
    // Fused kernels round to floats alone.
    for (const auto& [type, asked, executor] :
         {std::tuple(ScalarType::float32, false, GpuExecutor::library),
          std::tuple(ScalarType::float32, true, GpuExecutor::library),
          std::tuple(ScalarType::float64, true, GpuExecutor::library),
          std::tuple(ScalarType::float32, true, GpuExecutor::fused)}) {
        ProgramBuilder build(type);
        const ValueId a = build.operand("A", kSize, kSize, true);
        const ValueId b = build.operand("B", kSize, kSize, true);
        const ValueId out = build.value(kSize, kSize);
        build.step(Gemm{use(a), use(b), 1, 0, {}}, out);
        build.output(out);
        const Program program = build.finish();
        Matrices A(type, 2, kSize, kSize);
        Matrices B(type, 2, kSize, kSize);
        A.fill_random(1, 1 + 0x1p-13, 1 + 0x1p-13);
        B.fill_random(2, 1, 1);
        Matrices C(type, 2, kSize, kSize);
        gpu::ExecutorOptions options;
        options.tf32 = asked;
        options.executor = executor;
        run_with(options, program, 2, {&A, &B}, {&C});
        const double exact = kSize * (1 + 0x1p-13);
        const double error = std::abs(C.get(1, 5, 7) - exact);
        if (asked && type == ScalarType::float32 && executor == GpuExecutor::library) {
            // Two roundings to 11 bits in each product, then the additions.
            EXPECT_LE(error, kSize * (2 * 0x1p-11 + kSize * 0x1p-23));
            if (is_simulated()) {
                EXPECT_GE(error, kSize * 0x1p-14);
            }
        } else {
            EXPECT_LE(error, kSize * static_cast<double>(kSize * unit(type)));
        }
    }
}

}  // namespace
}  // namespace matgrad::test
