/// Sums and means over the batch leave out the problems of which a term is not finite, count them as failed and
/// leave their own results as they are, in every layout and whatever the threads.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"
#include "support/plan_request.hpp"

namespace matgrad::test {
namespace {

constexpr std::int32_t kNotFinite = make_status(StatusKind::not_finite);

bool is_bad(std::int64_t p) {
    return p % 7 == 3;
}

/// 0.5*norm2(x - V*u)^2 and its gradient -(x - V*u)*u' by V, summed over the batch.
class Residuals : public testing::TestWithParam<std::tuple<ScalarType, std::int64_t, bool>> {};
INSTANTIATE_TEST_SUITE_P(NotFinite, Residuals,
                         testing::Combine(testing::ValuesIn(kTypes), testing::Values(1, 4, 75, 700),
                                          testing::Bool()));

TEST_P(Residuals, ThatAreInfiniteAreLeftOutOfTheSum) {
    const auto [type, batch, mean] = GetParam();
    constexpr std::int64_t d = 5;
    constexpr std::int64_t r = 3;
    PlanRequest request = value_and_gradient_request(
        "0.5*norm2(x - V*u)^2", "V", {{"x", d, 1, true}, {"V", d, r, false}, {"u", r, 1, true}},
        type, Accuracy::robust, batch);
    for (OutputRequest& output : request.outputs) {
        output.summed = true;
        output.mean = mean;
    }
    const Program program = make_program(request);
    Matrices x(type, batch, d, 1);
    Matrices V(type, 1, d, r);
    Matrices u(type, batch, r, 1);
    x.fill_random(1);
    V.fill_random(2);
    u.fill_random(3);
    long double value = 0;
    Naive gradient(d, r);
    std::int64_t good = 0;
    for (std::int64_t p = 0; p < batch; ++p) {
        if (is_bad(p)) {
            // In double the third is finite, and its square is not.
            constexpr double kInfinity = std::numeric_limits<double>::infinity();
            const double third = type == ScalarType::float32 ? -kInfinity : 1e308;
            x.set(p, 2, 0, p % 3 == 0 ? kInfinity : p % 3 == 1 ? std::nan("") : third);
            continue;
        }
        ++good;
        const Naive residual = plus(matrix(x, p), scaled(-1, multiply(matrix(V, 0), matrix(u, p))));
        for (const long double entry : residual.data) {
            value += entry * entry / 2;
        }
        gradient = plus(gradient, scaled(-1, multiply(residual, transpose(matrix(u, p)))));
    }
    const long double divisor = mean ? static_cast<long double>(good) : 1;
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices got_value(type, 1, 1, 1);
        Matrices got(type, 1, d, r);
        const RunResult result = run(executor, program, batch, {&x, &V, &u}, {&got_value, &got}, 2);
        EXPECT_EQ(result.summary.failed, batch - good);
        for (std::int64_t p = 0; p < batch; ++p) {
            EXPECT_EQ(result.status[static_cast<std::size_t>(p)], is_bad(p) ? kNotFinite : 0) << p;
        }
        const auto rounding = 20 * static_cast<double>(batch) * static_cast<double>(unit(type));
        EXPECT_NEAR(got_value.get(0, 0, 0), static_cast<double>(value / divisor), rounding);
        for (std::int64_t i = 0; i < d; ++i) {
            for (std::int64_t j = 0; j < r; ++j) {
                EXPECT_NEAR(got.get(0, i, j), static_cast<double>(gradient(i, j) / divisor),
                            rounding);
            }
        }
        Matrices again_value(type, 1, 1, 1);
        Matrices again(type, 1, d, r);
        run(executor, program, batch, {&x, &V, &u}, {&again_value, &again}, 1);
        EXPECT_TRUE(again.same_bits(0, got, 0));
        EXPECT_TRUE(again_value.same_bits(0, got_value, 0));
    }
}

/// The mean of sum(log(x)), and its gradient by x, which each problem has for itself.
TEST(NotFinite, ResultsOfAProblemStayAsTheyAre) {
    constexpr std::int64_t kBatch = 40;
    for (const ScalarType type : kTypes) {
        PlanRequest request = value_and_gradient_request("sum(log(x))", "x", {{"x", 2, 1, true}},
                                                         type, Accuracy::robust, kBatch);
        request.outputs[0].summed = true;
        request.outputs[0].mean = true;
        const Program program = make_program(request);
        Matrices x(type, kBatch, 2, 1);
        x.fill_random(1, 1, 3);
        long double mean = 0;
        std::int64_t good = 0;
        for (std::int64_t p = 0; p < kBatch; ++p) {
            if (is_bad(p)) {
                x.set(p, 0, 0, -2);
                continue;
            }
            ++good;
            mean += std::log(static_cast<long double>(x.get(p, 0, 0))) +
                    std::log(static_cast<long double>(x.get(p, 1, 0)));
        }
        mean /= static_cast<long double>(good);
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices value(type, 1, 1, 1);
            Matrices gradient(type, kBatch, 2, 1);
            const RunResult result = run(executor, program, kBatch, {&x}, {&value, &gradient});
            EXPECT_EQ(result.summary.failed, kBatch - good);
            EXPECT_NEAR(value.get(0, 0, 0), static_cast<double>(mean),
                        1e2 * static_cast<double>(unit(type)));
            EXPECT_EQ(gradient.get(3, 0, 0), -0.5);
            EXPECT_EQ(result.status[3], kNotFinite);
        }
    }
}

}  // namespace
}  // namespace matgrad::test
