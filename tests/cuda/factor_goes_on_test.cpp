/// Factorizations that do not fail their problem: a Cholesky factor is NaN where there is none, and an LU factor is what it
/// is.

#include <gtest/gtest.h>

#include <cmath>

#include "executors/executor_under_test.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 9;

class FactorGoesOn : public testing::TestWithParam<std::tuple<ScalarType, std::int64_t>> {};
INSTANTIATE_TEST_SUITE_P(All, FactorGoesOn,
                         testing::Combine(testing::ValuesIn(kTypes), testing::Values(4, 65)));

Program cholesky(ScalarType type, std::int64_t n, bool fails) {
    ProgramBuilder build(type);
    const ValueId a = build.operand("A", n, n, true);
    const ValueId l = build.value(n, n);
    Potrf potrf;
    potrf.a = use(a);
    potrf.fails = fails;
    build.step(potrf, l);
    const ValueId out = build.value(n, n);
    build.step(Copy{use(l)}, out);
    build.output(out);
    return build.finish();
}

TEST_P(FactorGoesOn, WhereAMatrixIsNotPositiveItIsNan) {
    const auto [type, n] = GetParam();
    Matrices A(type, kBatch, n, n);
    A.make_positive(1, 0.5);
    A.set(3, n - 1, n - 1, -1);
    A.set(7, 0, 0, std::nan(""));
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices factors[2] = {{type, kBatch, n, n}, {type, kBatch, n, n}};
        const RunResult result = run(executor, cholesky(type, n, false), kBatch, {&A}, {factors});
        const RunResult failing =
            run(executor, cholesky(type, n, true), kBatch, {&A}, {factors + 1});
        EXPECT_EQ(result.summary.failed, 0);
        EXPECT_EQ(result.status, std::vector<std::int32_t>(kBatch, 0));
        EXPECT_EQ(failing.summary.failed, 2);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            for (std::int64_t i = 0; i < n * n; ++i) {
                if (i % n > i / n) {
                    continue;
                }
                const double entry = factors[0].get(p, i / n, i % n);
                if (p == 3 || p == 7) {
                    EXPECT_TRUE(std::isnan(entry)) << p;
                } else {
                    EXPECT_EQ(entry, factors[1].get(p, i / n, i % n)) << p;
                }
            }
        }
    }
}

/// det(A), by the product of the pivots.
Program determinant(ScalarType type, std::int64_t n, bool zero_fails, bool fails) {
    ProgramBuilder build(type);
    const ValueId a = build.operand("A", n, n, true);
    const ValueId lu = build.value(n, n);
    const ValueId pivots = build.value(n, 1);
    build.step(Getrf{use(a), zero_fails, fails}, lu, {}, pivots);
    Reduce product;
    product.op = ReduceOp::signed_product;
    product.over = ReduceOver::diagonal;
    product.rows = product.cols = build.of(lu).rows;
    product.body.operands.push_back({use(lu), Broadcast::none});
    product.body.code.push_back({MapOp::load, 0, -1, 0});
    product.pivots = use(pivots);
    const ValueId det = build.value(1, 1);
    build.step(product, det);
    build.output(det);
    return build.finish();
}

TEST_P(FactorGoesOn, OfASingularMatrixIsNoFailure) {
    const auto [type, n] = GetParam();
    Matrices A(type, kBatch, n, n);
    A.make_positive(1, 0.5);
    for (std::int64_t i = 0; i < n * n; ++i) {
        A.set(2, i / n, i % n, 0);
    }
    A.set(5, 0, 0, std::nan(""));
    for (const bool zero_fails : {false, true}) {
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices dets[2] = {{type, kBatch, 1, 1}, {type, kBatch, 1, 1}};
            const RunResult result =
                run(executor, determinant(type, n, zero_fails, false), kBatch, {&A}, {dets});
            const RunResult failing =
                run(executor, determinant(type, n, true, true), kBatch, {&A}, {dets + 1});
            EXPECT_EQ(result.status, std::vector<std::int32_t>(kBatch, 0));
            EXPECT_EQ(failing.summary.failed, 2);
            if (!zero_fails) {
                EXPECT_EQ(dets[0].get(2, 0, 0), 0);
            }
            EXPECT_TRUE(std::isnan(dets[0].get(5, 0, 0)));
            for (std::int64_t p = 0; p < kBatch; ++p) {
                if (p != 2 && p != 5) {
                    EXPECT_EQ(dets[0].get(p, 0, 0), dets[1].get(p, 0, 0)) << p;
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
