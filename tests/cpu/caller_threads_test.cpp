/// A caller's own threads are used in place of those of the process.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

#include "cpu/executor.hpp"
#include "executors/every_result.hpp"

namespace matgrad::test {
namespace {

/// Starts threads for each call. Notes who works, and calls from within its work.
class NotingPool {
public:
    NotingPool()
        : parallel_([this](int count, const std::function<void(int)>& work) { run(count, work); }) {
    }
    [[nodiscard]] const Parallel* get() const { return &parallel_; }
    [[nodiscard]] int calls() const { return calls_; }
    [[nodiscard]] int most() const { return most_; }
    [[nodiscard]] bool was_nested() const { return nested_; }

private:
    void run(int count, const std::function<void(int)>& work) {
        ++calls_;
        most_ = std::max(most_, count);
        nested_ = nested_ || is_working_;
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) {
            threads.emplace_back([&work, i] {
                is_working_ = true;
                work(i);
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    }

    static thread_local bool is_working_;
    Parallel parallel_;
    int calls_ = 0;  // from the thread of the run alone
    int most_ = 0;
    bool nested_ = false;
};
thread_local bool NotingPool::is_working_ = false;

TEST(CallerThreads, DoTheWorkOfABatchInEveryLayoutWithTheSameBits) {
    for (const detail::Layout layout :
         {detail::Layout::compact, detail::Layout::plain, detail::Layout::runs}) {
        for (const ScalarType type : kTypes) {
            for (const std::int64_t batch : {2, 75, 2000}) {
                const EveryResult every(type);
                const EveryResultData data(type, batch, Order::rows, false);
                EveryResultResults own(type, batch, Order::rows, false, {});
                EveryResultResults theirs(type, batch, Order::rows, false, {});
                const CpuExecutor executor(every.program, 4, {layout, true});
                std::vector<ConstStrided> in;
                for (const Matrices* m : data.all()) {
                    in.push_back(m->input());
                }
                const auto run = [&](EveryResultResults& results, const Parallel* parallel) {
                    std::vector<Strided> out;
                    for (Matrices* m : results.all()) {
                        out.push_back(m->output());
                    }
                    HostCall call{batch, in, out, {}};
                    call.parallel = parallel;
                    EXPECT_EQ(executor.run(call, {}).failed, 0);
                };
                const NotingPool pool;
                run(own, nullptr);
                EXPECT_EQ(pool.calls(), 0);
                run(theirs, pool.get());
                for (std::size_t i = 0; i < kOutputs; ++i) {
                    for (std::int64_t p = 0; p < own.each[i].batch(); ++p) {
                        EXPECT_TRUE(theirs.each[i].same_bits(p, own.each[i], p));
                    }
                }
                EXPECT_FALSE(pool.was_nested());
                EXPECT_LE(pool.most(), 4);
                if (batch == 2000) {
                    EXPECT_GT(pool.calls(), 0);
                    EXPECT_GT(pool.most(), 1);
                }
            }
        }
    }
}

TEST(CallerThreads, ShareALargeStepAndAreNotCalledFromWithinTheirWork) {
    constexpr std::int64_t n = 700;
    ProgramBuilder build(ScalarType::float32);
    const ValueId a = build.operand("A", n, n, true);
    const ValueId product = build.value(n, n);
    build.step(Gemm{use(a), use_transposed(a), 1, 0, {}}, product);
    build.output(product);
    const CpuExecutor executor(build.finish(), 4, {detail::Layout::plain, true});
    for (const std::int64_t batch : {1, 2}) {
        Matrices A(ScalarType::float32, batch, n, n);
        A.fill_random(1);
        Matrices own(ScalarType::float32, batch, n, n);
        Matrices theirs(ScalarType::float32, batch, n, n);
        const ConstStrided in[] = {A.input()};
        const Strided own_out[] = {own.output()};
        const Strided their_out[] = {theirs.output()};
        (void)executor.run({batch, in, own_out, {}}, {});
        const NotingPool pool;
        HostCall call{batch, in, their_out, {}};
        call.parallel = pool.get();
        (void)executor.run(call, {});
        // One problem: the step is shared. Two: a thread each.
        EXPECT_GT(pool.calls(), 0);
        EXPECT_EQ(pool.most(), batch == 1 ? 4 : 2);
        EXPECT_FALSE(pool.was_nested());
        for (std::int64_t p = 0; p < batch; ++p) {
            EXPECT_TRUE(theirs.same_bits(p, own, p));
        }
    }
}

TEST(CallerThreads, WhatTheyThrowReachesTheCaller) {
    const EveryResult every(ScalarType::float64);
    const EveryResultData data(ScalarType::float64, 200, Order::rows, false);
    EveryResultResults results(ScalarType::float64, 200, Order::rows, false, {});
    std::vector<ConstStrided> in;
    for (const Matrices* m : data.all()) {
        in.push_back(m->input());
    }
    std::vector<Strided> out;
    for (Matrices* m : results.all()) {
        out.push_back(m->output());
    }
    const CpuExecutor executor(every.program, 4, {detail::Layout::plain, true});
    const Parallel refuses = [](int, const std::function<void(int)>&) { throw 17; };
    HostCall call{200, in, out, {}};
    call.parallel = &refuses;
    EXPECT_THROW((void)executor.run(call, {}), int);
    call.parallel = nullptr;
    EXPECT_EQ(executor.run(call, {}).failed, 0);
}

}  // namespace
}  // namespace matgrad::test
