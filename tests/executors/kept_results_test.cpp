/// A problem whose part of a sum over the batch is not finite has no part in it and keeps its own results.

#include <gtest/gtest.h>

#include <cmath>

#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"
#include "support/plan_request.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 75;
constexpr std::int64_t d = 4;
constexpr std::int64_t r = 3;

bool is_bad(std::int64_t p) {
    return p % 9 == 4;
}

/// Of 0.5*norm2(x - V*u)^2 the gradient by V, summed over the batch, and that by x, the residual, which each problem
/// has for itself: the former is made of the latter.
Program residuals(ScalarType type) {
    PlanRequest request = value_and_gradient_request(
        "0.5*norm2(x - V*u)^2", "V", {{"x", d, 1, true}, {"V", d, r, false}, {"u", r, 1, true}},
        type, Accuracy::robust, kBatch);
    request.outputs[1].summed = true;
    const Expr value = request.outputs[0].form;
    request.outputs[0] = {
        OutputKind::gradient, "x", derive(value, {"x"}).gradients.front().form, {}};
    return make_program(request);
}

TEST(KeptResults, AreWhatTheyWereBeforeTheProblemWasLeftOutOfASumMadeOfThem) {
    for (const ScalarType type : kTypes) {
        const Program program = residuals(type);
        Matrices x(type, kBatch, d, 1);
        Matrices V(type, 1, d, r);
        Matrices u(type, kBatch, r, 1);
        x.fill_random(1);
        V.fill_random(2);
        u.fill_random(3);
        Naive sum(d, r);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            if (is_bad(p)) {
                x.set(p, 2, 0, p % 2 == 0 ? std::nan("") : -INFINITY);
                continue;
            }
            const Naive residual =
                plus(matrix(x, p), scaled(-1, multiply(matrix(V, 0), matrix(u, p))));
            sum = plus(sum, scaled(-1, multiply(residual, transpose(matrix(u, p)))));
        }
        const auto rounding = 100 * kBatch * static_cast<double>(unit(type));
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            for (const double beta : {0.0, 0.5}) {
                SCOPED_TRACE(testing::Message() << executor.name << " beta " << beta);
                Matrices own(type, kBatch, d, 1);
                Matrices total(type, 1, d, r);
                own.fill_random(4);
                total.fill_random(5);
                const Matrices own_before = own;
                const Matrices total_before = total;
                CallWishes wishes;
                wishes.beta = {beta, beta};
                const RunResult result =
                    run(executor, program, kBatch, {&x, &V, &u}, {&own, &total}, 1, wishes);
                for (std::int64_t p = 0; p < kBatch; ++p) {
                    EXPECT_EQ(result.status[static_cast<std::size_t>(p)],
                              is_bad(p) ? make_status(StatusKind::not_finite) : 0)
                        << p;
                    if (is_bad(p) && beta != 0) {
                        EXPECT_TRUE(own.same_bits(p, own_before, p)) << p;
                        continue;
                    }
                    const Naive residual =
                        plus(matrix(x, p), scaled(-1, multiply(matrix(V, 0), matrix(u, p))));
                    for (std::int64_t i = 0; i < d; ++i) {
                        const double before = beta == 0 ? 0 : beta * own_before.get(p, i, 0);
                        if (is_bad(p) && i == 2) {
                            EXPECT_FALSE(std::isfinite(own.get(p, i, 0)));
                        } else {
                            EXPECT_NEAR(own.get(p, i, 0),
                                        static_cast<double>(residual(i, 0)) + before, rounding)
                                << p;
                        }
                    }
                }
                for (std::int64_t i = 0; i < d; ++i) {
                    for (std::int64_t j = 0; j < r; ++j) {
                        const double before = beta == 0 ? 0 : beta * total_before.get(0, i, j);
                        EXPECT_NEAR(total.get(0, i, j), static_cast<double>(sum(i, j)) + before,
                                    rounding);
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
