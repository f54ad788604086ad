#pragma once
/// \file What a call may ask for beside its batch, against loops.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "executors/every_result.hpp"
#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {

/// `computed` plus beta times `before`, or `before` itself where it was computed from failures alone.
inline void expect_added(ScalarType type, const Matrices& got, const Matrices& computed,
                         const Matrices& before, double beta, std::int64_t problem) {
    for (std::int64_t r = 0; r < got.rows(); ++r) {
        for (std::int64_t c = 0; c < got.cols(); ++c) {
            const long double now = computed.get(problem, r, c);
            const long double old = before.get(problem, r, c);
            if (std::isnan(now)) {
                EXPECT_EQ(got.get(problem, r, c), static_cast<double>(old));
                continue;
            }
            // One rounding of the product and one of the sum.
            const long double bound = 2 * unit(type) * (std::abs(now) + std::abs(beta * old));
            EXPECT_LE(std::abs(got.get(problem, r, c) - (now + beta * old)), bound)
                << "entry " << r << "," << c << " of problem " << problem;
        }
    }
}

/// Results are added to beta times what is there, whatever fails.
inline void expect_added_results(const ExecutorUnderTest& executor, ScalarType type) {
    const EveryResult every(type);
    struct Case {
        std::int64_t batch;
        Order order;
        bool reversed;
        enum { none, some, all, shared } failures;
    };
    const Case cases[] = {
        {1, Order::rows, false, Case::none},          {33, Order::rows, false, Case::some},
        {40, Order::columns, true, Case::none},       {17, Order::padded_rows, false, Case::all},
        {70, Order::reversed_both, true, Case::some}, {5, Order::strided, false, Case::shared},
        {0, Order::rows, false, Case::none},
    };
    for (const Case& c : cases) {
        EveryResultData data(type, c.batch, c.order, c.reversed);
        for (std::int64_t p = 0; p < c.batch; ++p) {
            if (c.failures == Case::all || (c.failures == Case::some && p % 3 == 1)) {
                data.S.set(p, 1, 1, -1);
            }
        }
        if (c.failures == Case::shared) {
            data.C.set(0, 2, 2, std::numeric_limits<double>::quiet_NaN());
        }
        EveryResultResults computed(type, c.batch, c.order, c.reversed, {});
        const RunResult plain =
            run(executor, every.program, c.batch, data.all(), computed.all(), 2);
        for (std::size_t shift = 0; shift < 3; ++shift) {
            SCOPED_TRACE(testing::Message() << "batch " << c.batch << " shift " << shift);
            CallWishes wishes;
            for (std::size_t i = 0; i < kOutputs; ++i) {
                wishes.beta.push_back(std::vector<double>{1, 0, -0.75}[(i + shift) % 3]);
            }
            EveryResultResults results(type, c.batch, c.order, c.reversed, wishes.beta);
            const EveryResultResults before = results;
            const RunResult added =
                run(executor, every.program, c.batch, data.all(), results.all(), 2, wishes);
            EXPECT_EQ(added.status, plain.status);
            EXPECT_EQ(added.summary.failed, plain.summary.failed);
            for (std::size_t i = 0; i < kOutputs; ++i) {
                SCOPED_TRACE(testing::Message() << "output " << i);
                for (std::int64_t p = 0; p < results.each[i].batch(); ++p) {
                    if (wishes.beta[i] != 0) {
                        expect_added(type, results.each[i], computed.each[i], before.each[i],
                                     wishes.beta[i], p);
                    } else if (!std::isnan(computed.each[i].get(p, 0, 0))) {
                        EXPECT_TRUE(results.each[i].same_bits(p, computed.each[i], p));
                    } else {
                        EXPECT_TRUE(std::isnan(results.each[i].get(p, 0, 0)));
                    }
                }
            }
        }
    }
}

/// Problems are those that the rows name: as if their operands had been copied.
inline void expect_named_problems(const ExecutorUnderTest& executor, ScalarType type) {
    const EveryResult every(type);
    struct Case {
        std::int64_t stored, batch;
        Order order;
        bool reversed;
    };
    const Case cases[] = {{20, 53, Order::rows, false},       {90, 16, Order::columns, true},
                          {7, 1, Order::padded_rows, false},  {33, 70, Order::reversed_both, true},
                          {41, 41, Order::strided, false},    {1, 18, Order::rows, false},
                          {3, 0, Order::reversed_rows, false}};
    for (const Case& c : cases) {
        SCOPED_TRACE(testing::Message() << c.batch << " of " << c.stored);
        EveryResultData stored(type, c.stored, c.order, c.reversed);
        for (std::int64_t p = 4; p < c.stored; p += 9) {
            stored.S.set(p, 1, 1, -1);
        }
        // In the same order: products of one problem may read rows in another way than columns.
        EveryResultData gathered(type, c.batch, c.order, c.reversed);
        gathered.C = stored.C;
        CallWishes wishes;
        for (std::int64_t p = 0; p < c.batch; ++p) {
            // Up, down and again.
            const std::int64_t row =
                p % 4 == 3 ? c.stored - 1 - p / 4 % c.stored : p * 5 % c.stored;
            wishes.rows.push_back(row);
            for (std::int64_t r = 0; r < EveryResult::kSize; ++r) {
                gathered.x.set(p, r, 0, stored.x.get(row, r, 0));
                for (std::int64_t k = 0; k < EveryResult::kSize; ++k) {
                    gathered.S.set(p, r, k, stored.S.get(row, r, k));
                }
            }
        }
        EveryResultResults want(type, c.batch, c.order, c.reversed, {});
        EveryResultResults got(type, c.batch, c.order, c.reversed, {});
        const RunResult copied =
            run(executor, every.program, c.batch, gathered.all(), want.all(), 2);
        const RunResult named =
            run(executor, every.program, c.batch, stored.all(), got.all(), 2, wishes);
        EXPECT_EQ(named.status, copied.status);
        EXPECT_EQ(named.summary.failed, copied.summary.failed);
        for (std::size_t i = 0; i < kOutputs; ++i) {
            for (std::int64_t p = 0; p < want.each[i].batch(); ++p) {
                if (std::isnan(want.each[i].get(p, 0, 0))) {
                    EXPECT_TRUE(std::isnan(got.each[i].get(p, 0, 0)));
                } else {
                    EXPECT_TRUE(got.each[i].same_bits(p, want.each[i], p))
                        << "output " << i << " of problem " << p;
                }
            }
        }
    }
}

}  // namespace matgrad::test
