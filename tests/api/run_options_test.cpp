// What a run may be told beside its operands: which problems, what is added, whose memory and threads; and that a
// loop allocates nothing.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/allocation_count.hpp"

namespace matgrad {
namespace {

using test::allocation_count;

/// f = 0.5*|x - m|^2 with shared m and batched x: value and gradient m - x, exactly, in whole numbers.
struct Distances {
    Plan plan =
        make_plan(parse("0.5*norm2(x - m)^2"), {batched("x", 2), shared("m", 2)}, {.wrt = {"m"}});
    std::vector<double> x{1, 0, 2, 0, 3, 0, 4, 0};
    std::vector<double> m{0, 2};
    std::vector<double> value = std::vector<double>(4, 100.0);
    std::vector<double> gradient = std::vector<double>(8, 100.0);
};

TEST(RunOptions, RowsNameTheProblemsOfTheBatch) {
    Distances d;
    const std::vector<std::int64_t> rows{3, 0, 3};
    RunOptions options;
    options.rows = rows;
    const RunSummary summary = d.plan.run({{"x", d.x}, {"m", d.m}},
                                          {{"value", row_major(d.value.data(), 1, 1).batched(3)},
                                           {"gradient m", column(d.gradient.data(), 2).batched(3)}},
                                          {}, options);
    EXPECT_EQ(summary.problems, 3);
    EXPECT_EQ(d.value, (std::vector<double>{10, 2.5, 10, 100}));
    EXPECT_EQ(d.gradient, (std::vector<double>{-4, 2, -1, 2, -4, 2, 100, 100}));
}

TEST(RunOptions, BetaAddsToWhatIsThere) {
    Distances d;
    d.plan.run({{"x", d.x}, {"m", d.m}}, {{"gradient m", d.gradient, 1}, {"value", d.value, 0.5}});
    EXPECT_EQ(d.value, (std::vector<double>{52.5, 54, 56.5, 60}));
    EXPECT_EQ(d.gradient, (std::vector<double>{99, 102, 98, 102, 97, 102, 96, 102}));
}

TEST(RunOptions, ResultsThatAreNotFiniteFailWhereThatIsAsked) {
    const Plan plan = make_plan(parse("sum(log(x))"), {batched("x", 2)}, {.wrt = {"x"}});
    const std::vector<double> x{1, 2, -1, 2, 0, 4, 3, 4};
    std::vector<double> value(4);
    std::vector<double> gradient(8);
    std::vector<std::int32_t> status(4);
    const auto run = [&](bool check, std::span<std::int32_t> to) {
        RunOptions options;
        options.check_finite = check;
        return plan.run({{"x", x}}, {{"value", value}, {"gradient x", gradient}}, to, options);
    };
    EXPECT_EQ(run(false, status).failed, 0);
    EXPECT_EQ(run(true, {}).failed, 2);
    EXPECT_EQ(run(true, status).failed, 2);
    const std::int32_t not_finite = make_status(StatusKind::not_finite);
    EXPECT_EQ(status, (std::vector<std::int32_t>{0, not_finite, not_finite, 0}));
    EXPECT_EQ(to_text(not_finite), "not finite");
    EXPECT_TRUE(std::isnan(value[1]));
    EXPECT_TRUE(std::isinf(value[2]));
    EXPECT_EQ(gradient[2], -1);  // kept
}

TEST(RunOptions, AGradientIsAccumulatedOverMiniBatches) {
    const Plan plan = make_plan(parse("0.5*norm2(x - m)^2"), {batched("x", 2), shared("m", 2)},
                                {.reduction = Reduction::sum, .value = false, .wrt = {"m"}});
    const Distances d;
    std::vector<double> sum(2, 0.0);
    for (const std::vector<std::int64_t>& rows : {std::vector<std::int64_t>{2, 0}, {1, 3}}) {
        RunOptions options;
        options.rows = rows;
        plan.run({{"x", d.x}, {"m", d.m}}, {{"gradient m", sum, 1}}, {}, options);
    }
    EXPECT_EQ(sum, (std::vector<double>{-10, 8}));
}

TEST(RunOptions, AFailedProblemLeavesWhatIsThereUnlessBetaIsZero) {
    const Plan plan = make_plan(parse("logdet(S)", {"S=n,n:spd"}), {batched("S", 1, 1)});
    const std::vector<double> s{1, -1, 1};
    std::vector<double> value(3, 7.0);
    std::vector<std::int32_t> status(3);
    plan.run({{"S", row_major(s, 1, 1).batched(3)}}, {{"value", value, 2}}, status);
    EXPECT_EQ(value, (std::vector<double>{14, 7, 14}));
    EXPECT_EQ(status[0], 0);
    EXPECT_EQ(status[1], make_status(StatusKind::not_positive, 1));
    plan.run({{"S", row_major(s, 1, 1).batched(3)}}, {{"value", value}});
    EXPECT_EQ(value[0], 0);
    EXPECT_TRUE(std::isnan(value[1]));
}

TEST(RunOptions, TheThreadsOfTheCallerDoTheWork) {
    const std::int64_t batch = 20000;
    const Plan plan = make_plan(parse("norm2(x)^2"), {batched("x", 16)}, {.threads = 3});
    const std::vector<double> x(static_cast<std::size_t>(16 * batch), 1.0);
    std::vector<double> value(static_cast<std::size_t>(batch));
    std::atomic<int> calls{0};
    RunOptions options;
    options.parallel = [&](int count, const std::function<void(int)>& work) {
        ++calls;
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) {
            threads.emplace_back(work, i);
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    };
    plan.run({x}, {value}, {}, options);
    EXPECT_GE(calls, 1);
    EXPECT_EQ(value, std::vector<double>(static_cast<std::size_t>(batch), 16.0));
}

TEST(Loop, AllocatesNothingAfterItsFirstCall) {
    const std::int64_t batch = 500;
    const Function f("-logdet(P) + tr(S*P)", "P", {"P=n,n:spd", "S=n,n:sym"});
    std::vector<double> p(static_cast<std::size_t>(64 * batch)), s(p.size(), 0.5), g(p.size());
    std::vector<double> value(static_cast<std::size_t>(batch));
    std::vector<std::int32_t> status(value.size());
    for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] = i % 64 % 9 == 0 ? 1 : 0;
    }
    const ConstView P = row_major(p, 8, 8).batched(batch);
    const ConstView S = row_major(s, 8, 8).batched(batch);
    const Plan plan = f.plan({{"P", P}, {"S", S}});
    std::vector<std::int64_t> rows(value.size(), 1);
    Workspace workspace(plan);
    RunOptions with_workspace;
    with_workspace.workspace = &workspace;
    with_workspace.rows = rows;
    const auto step = [&] {
        plan.run({{"P", P}, {"S", S}}, {{"value", value}, {"gradient P", g}}, status);
        plan.run({{"S", S}, {"P", P}}, {{"gradient P", g, 1}, {"value", value}}, {},
                 with_workspace);
        f.run({{"P", P}, {"S", S}}, {{"value", value}, {"gradient P", g}}, status);
    };
    step();
    const std::int64_t before = allocation_count();
    for (int i = 0; i < 3; ++i) {
        step();
    }
    EXPECT_EQ(allocation_count() - before, 0);
    EXPECT_EQ(value[0], 4);  // tr(S*I)
    plan.release();
    step();
    EXPECT_GT(allocation_count() - before, 0) << "what was released is made again";
}

}  // namespace
}  // namespace matgrad
