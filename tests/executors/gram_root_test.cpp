/// Cholesky factors of Gram matrices whose root is known.

#include <gtest/gtest.h>

#include <cmath>

#include "executors/executor_under_test.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

/// The factor of 4 X'X, and X times its inverse.
Program factor_of_gram(std::int64_t m, std::int64_t n, ScalarType type) {
    ProgramBuilder build(type);
    const ValueId x = build.operand("X", m, n, true);
    const ValueId gram = build.value(n, n);
    build.step(Syrk{use_transposed(x), 4, true}, gram);
    const ValueId l = build.value(n, n);
    build.step(Potrf{use(gram), use(x), 2}, l);
    const ValueId half = build.value(m, n);
    build.step(Trsm{Side::right, true, true, use(l), use(x)}, half);
    build.output(half);
    return build.finish();
}

TEST(GramRoot, WithFewerRowsThanColumnsFailsByItsShape) {
    constexpr std::int64_t kBatch = 40;
    for (const ScalarType type : kTypes) {
        const Program program = factor_of_gram(3, 5, type);
        Matrices X(type, kBatch, 3, 5);
        X.fill_random(1);
        X.set(4, 1, 1, std::nan(""));
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices half(type, kBatch, 3, 5);
            const RunResult result = run(executor, program, kBatch, {&X}, {&half});
            EXPECT_EQ(result.summary.failed, kBatch);
            for (const std::int32_t status : result.status) {
                EXPECT_EQ(status, make_status(StatusKind::singular, 4)) << to_text(status);
            }
            EXPECT_TRUE(std::isnan(half.get(7, 2, 1)));
        }
    }
}

/// X = Q (2 L)'/2 with Q'Q the identity, so (X inv((2L)'))'(X inv((2L)')) is a quarter of it.
TEST(GramRoot, TimesTheInverseOfItsFactorHasOrthogonalColumns) {
    constexpr std::int64_t kBatch = 20;
    for (const ScalarType type : kTypes) {
        const Program program = factor_of_gram(9, 4, type);
        Matrices X(type, kBatch, 9, 4);
        X.fill_random(1);
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices half(type, kBatch, 9, 4);
            const RunResult result = run(executor, program, kBatch, {&X}, {&half});
            EXPECT_EQ(result.summary.failed, 0);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t i = 0; i < 4; ++i) {
                    for (std::int64_t j = 0; j < 4; ++j) {
                        double sum = 0;
                        for (std::int64_t r = 0; r < 9; ++r) {
                            sum += half.get(p, r, i) * half.get(p, r, j);
                        }
                        EXPECT_NEAR(sum, i == j ? 0.25 : 0, 1e3 * static_cast<double>(unit(type)))
                            << p << " " << i << "," << j;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
