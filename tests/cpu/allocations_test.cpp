/// A run allocates nothing after the first one, on any thread; what it keeps can be released.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cpu/cpu_executor.hpp"
#include "cpu/executor.hpp"
#include "executors/every_result.hpp"
#include "support/allocation_count.hpp"

namespace matgrad::test {
namespace {

/// What two further calls allocate, after one.
std::int64_t allocations_of(const Executor& executor, const HostCall& call) {
    (void)executor.run(call, {});
    const std::int64_t before = allocation_count();
    (void)executor.run(call, {});
    (void)executor.run(call, {});
    return allocation_count() - before;
}

class RunsOf : public testing::TestWithParam<std::tuple<detail::Layout, ScalarType, int>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
    [[nodiscard]] static CpuExecutor executor(const Program& program) {
        return {program, std::get<2>(GetParam()), {std::get<0>(GetParam()), true}};
    }
};
INSTANTIATE_TEST_SUITE_P(Allocations, RunsOf,
                         testing::Combine(testing::Values(detail::Layout::compact,
                                                          detail::Layout::plain,
                                                          detail::Layout::runs),
                                          testing::ValuesIn(kTypes), testing::Values(1, 2)));

TEST(Allocations, AreCounted) {
    const std::int64_t before = allocation_count();
    // Kept where the compiler cannot do without them.
    void* volatile plain = ::operator new(10);
    void* volatile aligned = ::operator new (64, std::align_val_t{64});
    EXPECT_EQ(allocation_count() - before, 2);
    ::operator delete(plain);
    ::operator delete (aligned, std::align_val_t{64});
    std::thread([] { std::vector<int>().reserve(100); }).join();
    EXPECT_GE(allocation_count() - before, 3);
}

TEST_P(RunsOf, AllocateNothingForEveryKindOfResult) {
    const EveryResult every(type());
    for (const bool fails : {false, true}) {
        constexpr std::int64_t kBatch = 75;
        EveryResultData data(type(), kBatch, Order::rows, false);
        for (std::int64_t p = 3; p < kBatch && fails; p += 7) {
            data.S.set(p, 1, 1, -1);
        }
        EveryResultResults results(type(), kBatch, Order::rows, false, {});
        std::vector<ConstStrided> in;
        for (const Matrices* m : data.all()) {
            in.push_back(m->input());
        }
        std::vector<Strided> out;
        for (Matrices* m : results.all()) {
            out.push_back(m->output());
        }
        const CpuExecutor run = executor(every.program);
        std::vector<std::int32_t> status(kBatch);
        const std::vector<double> beta(kOutputs, 0.5);
        std::vector<std::int64_t> rows(kBatch);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] = static_cast<std::int64_t>(i * 2 % rows.size());
        }
        HostCall call{kBatch, in, out, {}};
        EXPECT_EQ(allocations_of(run, call), 0);
        call.status = status;
        EXPECT_EQ(allocations_of(run, call), 0);
        call.beta = beta;
        call.rows = rows;
        EXPECT_EQ(allocations_of(run, call), 0);
    }
}

/// One problem of a million entries: steps in parts, which threads share.
TEST(Allocations, ThereAreNoneInLargeSteps) {
    constexpr std::int64_t m = 600;
    constexpr std::int64_t n = 900;
    for (const int threads : {1, 2}) {
        ProgramBuilder build(ScalarType::float32);
        const ValueId a = build.operand("A", m, n, true);
        const ValueId v = build.operand("v", n, 1, true);
        const auto sum_of = [&](std::vector<MapInstruction> code) {
            const ValueId sum = build.value(1, 1);
            build.step(Reduce{ReduceOp::sum,
                              ReduceOver::all,
                              {"m", m},
                              {"n", n},
                              {{{use(a), Broadcast::none}}, std::move(code)},
                              1,
                              {}},
                       sum);
            build.output(sum);
        };
        sum_of({{MapOp::load, 0, -1, 0}});
        sum_of({{MapOp::load, 0, -1, 0}, {MapOp::exp, 0, -1, 0}});
        const ValueId gram = build.value(n, n);
        build.step(Syrk{use_transposed(a), 1, true}, gram);
        build.output(gram);
        const ValueId product = build.value(m, m);
        build.step(Gemm{use(a), use_transposed(a), 1, 0, {}}, product);
        build.output(product);
        const ValueId image = build.value(m, 1);
        build.step(Gemm{use(a), use(v), 1, 0, {}}, image);
        const ValueId back = build.value(n, 1);
        build.step(Gemm{use_transposed(a), use(image), 1, 0, {}}, back);
        build.output(back);
        const CpuExecutor run(build.finish(), threads, {detail::Layout::plain, true});
        Matrices A(ScalarType::float32, 1, m, n);
        Matrices x(ScalarType::float32, 1, n, 1);
        A.fill_random(1);
        x.fill_random(2);
        Matrices s(ScalarType::float32, 1, 1, 1);
        Matrices t(ScalarType::float32, 1, 1, 1);
        Matrices G(ScalarType::float32, 1, n, n);
        Matrices P(ScalarType::float32, 1, m, m);
        Matrices B(ScalarType::float32, 1, n, 1);
        const ConstStrided in[] = {A.input(), x.input()};
        const Strided out[] = {s.output(), t.output(), G.output(), P.output(), B.output()};
        EXPECT_EQ(allocations_of(run, {1, in, out, {}}), 0) << threads << " threads";
    }
}

/// A sum over a batch of one operand.
struct SmallSum {
    Matrices x{ScalarType::float64, 40, 3, 2};
    Matrices sum{ScalarType::float64, 1, 3, 2};
    ConstStrided in[1];
    Strided out[1];

    SmallSum() {
        x.fill_random(1);
        in[0] = x.input();
        out[0] = sum.output();
    }
    static Program program() {
        ProgramBuilder build(ScalarType::float64);
        const ValueId a = build.operand("x", 3, 2, true);
        const ValueId total = build.value(3, 2, Scope::reduced);
        build.step(BatchReduce{use(a)}, total);
        build.output(total);
        return build.finish();
    }
    [[nodiscard]] HostCall call() const { return {40, in, out, {}}; }
};

TEST(Allocations, WhatIsKeptCanBeReleased) {
    const auto executor = make_cpu_executor(SmallSum::program(), 1);
    const SmallSum sum;
    EXPECT_EQ(allocations_of(*executor, sum.call()), 0);
    executor->release();
    executor->release();
    const std::int64_t before = allocation_count();
    (void)executor->run(sum.call(), {});
    EXPECT_EQ(allocation_count() - before, 1);
    EXPECT_EQ(allocations_of(*executor, sum.call()), 0);
}

TEST(Allocations, ARunInTheWorkspaceOfItsCallerMakesNone) {
    const auto executor = make_cpu_executor(SmallSum::program(), 1);
    const SmallSum sum;
    void* const memory = std::aligned_alloc(64, (executor->workspace_bytes() + 63) / 64 * 64);
    HostCall call = sum.call();
    call.workspace = {static_cast<std::byte*>(memory), executor->workspace_bytes()};
    const std::int64_t before = allocation_count();
    (void)executor->run(call, {});
    EXPECT_EQ(allocation_count() - before, 0);
    std::free(memory);
}

/// Each call has a workspace of its own: as many are kept as there were calls at once.
TEST(Allocations, CallsAtOnceKeepOneWorkspaceEach) {
    const auto executor = make_cpu_executor(SmallSum::program(), 1);
    constexpr int kThreads = 4;
    std::vector<SmallSum> sums(kThreads);
    std::atomic<int> inside{0};
    std::atomic<std::int64_t> differing{0};
    const auto run_together = [&](int rounds, bool wait) {
        inside = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                const SmallSum& mine = sums[static_cast<std::size_t>(i)];
                for (int round = 0; round < rounds; ++round) {
                    // The hook of a run is asked while it has its workspace.
                    const RunHooks hooks{[&](std::int64_t) {
                        inside.fetch_add(1);
                        while (wait && inside.load() < kThreads) {
                            std::this_thread::yield();
                        }
                        return true;
                    }};
                    (void)executor->run(mine.call(), hooks);
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    };
    run_together(1, true);
    for (const SmallSum& sum : sums) {
        differing += sum.sum.same_bits(0, sums[0].sum, 0) ? 0 : 1;
    }
    EXPECT_EQ(differing.load(), 0);
    // With four kept, four more calls at once take those: what is allocated are the threads.
    std::int64_t before = allocation_count();
    run_together(1, true);
    const std::int64_t again = allocation_count() - before;
    executor->release();
    before = allocation_count();
    run_together(1, true);
    EXPECT_EQ(allocation_count() - before, again + kThreads);
}

TEST(Allocations, TheWorkspaceIsWhatExplainSays) {
    for (const int threads : {1, 3}) {
        const auto executor = make_cpu_executor(EveryResult(ScalarType::float32).program, threads);
        const std::string text = executor->explain();
        std::int64_t whole = -1;
        std::int64_t once = -1;
        std::int64_t each = -1;
        const std::size_t at = text.find("workspace ");
        ASSERT_NE(at, std::string::npos) << text;
        ASSERT_EQ(
            std::sscanf(text.c_str() + at, "workspace %ld bytes: %ld of a run, %ld of each thread",
                        &whole, &once, &each),
            3)
            << text;
        EXPECT_EQ(whole, static_cast<std::int64_t>(executor->workspace_bytes()));
        EXPECT_EQ(whole, once + threads * each);
    }
}

}  // namespace
}  // namespace matgrad::test
