/// Programs of small matrices that are planned for few problems run one by one on the stack: who does, that nothing
/// but the problem decides its bits, and that a call allocates nothing and takes no lock.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/executor.hpp"
#include "executors/build_program.hpp"
#include "matgrad/status.hpp"
#include "support/allocation_count.hpp"
#include "support/plan_request.hpp"

namespace {
std::atomic<std::int64_t> g_locks{0};
}  // namespace

/// In place of that of the C library, for the whole program.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static const auto next =
        reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
    g_locks.fetch_add(1, std::memory_order_relaxed);
    return next(mutex);
}

namespace matgrad::test {
namespace {

bool is_single(const CpuExecutor& executor) {
    return executor.explain().find("single small problems") != std::string::npos;
}

/// sum(exp(A)) for an A of so many rows and columns.
Program sum_of_exp(std::int64_t rows, std::int64_t cols, bool batched, std::int64_t batch) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId a = build.operand("A", rows, cols, batched);
    const ValueId sum = build.value(1, 1, batched ? Scope::problem : Scope::shared);
    build.step(
        Reduce{ReduceOp::sum,
               ReduceOver::all,
               {"m", rows},
               {"n", cols},
               {{{use(a), Broadcast::none}}, {{MapOp::load, 0, -1, 0}, {MapOp::exp, 0, -1, 0}}},
               1,
               {}},
        sum);
    build.output(sum);
    Program program = build.finish();
    program.batch = batch;
    return program;
}

TEST(SingleProblems, AreChosenByTheProgramAlone) {
    EXPECT_TRUE(is_single({sum_of_exp(16, 16, true, 1), 1}));
    EXPECT_TRUE(is_single({sum_of_exp(4, 4, true, 4), 1}));
    EXPECT_FALSE(is_single({sum_of_exp(4, 4, true, 5), 1}));
    EXPECT_FALSE(is_single({sum_of_exp(17, 4, true, 1), 1}));
    EXPECT_FALSE(is_single({sum_of_exp(4, 17, true, 1), 1}));
    // Without batched operands there is one problem, whatever was expected.
    EXPECT_TRUE(is_single({sum_of_exp(4, 4, false, 1000), 1}));
    EXPECT_FALSE(is_single({sum_of_exp(4, 4, true, 1), 1, {detail::Layout::plain}}));
    CpuOptions never;
    never.single = false;
    EXPECT_FALSE(is_single({sum_of_exp(4, 4, true, 1), 1, never}));
}

/// Value and gradient of logdet(X'*X) for 5-by-3 matrices, of which some have no factor.
struct LogDet {
    static constexpr std::int64_t kBatch = 300;
    Program program;
    Matrices x{ScalarType::float64, kBatch, 5, 3};

    LogDet()
        : program(
              make_program(value_and_gradient_request("logdet(X'*X)", "X", {{"X", 5, 3, true}},
                                                      ScalarType::float64, Accuracy::robust, 1))) {
        x.fill_random(7);
        for (std::int64_t p = 3; p < kBatch; p += 11) {
            for (std::int64_t r = 0; r < 5; ++r) {
                x.set(p, r, 1, 0);
            }
        }
        x.set(5, 2, 2, std::numeric_limits<double>::quiet_NaN());
        x.set(6, 4, 0, std::numeric_limits<double>::infinity());
    }
    struct Out {
        Matrices value{ScalarType::float64, kBatch, 1, 1};
        Matrices gradient{ScalarType::float64, kBatch, 5, 3};
        std::vector<std::int32_t> status = std::vector<std::int32_t>(kBatch);
    };
    RunSummary run(const CpuExecutor& executor, std::int64_t batch,
                   std::span<const std::int64_t> rows, Out& out) const {
        const ConstStrided in[] = {x.input()};
        const Strided results[] = {out.value.output(), out.gradient.output()};
        HostCall call{batch, in, results,
                      std::span(out.status).first(static_cast<std::size_t>(batch))};
        call.rows = rows;
        return executor.run(call, {});
    }
};

TEST(SingleProblems, NothingButTheProblemDecidesItsBits) {
    const LogDet f;
    LogDet::Out whole;
    const CpuExecutor one(f.program, 1);
    ASSERT_TRUE(is_single(one));
    const RunSummary summary = f.run(one, LogDet::kBatch, {}, whole);
    EXPECT_EQ(summary.problems, LogDet::kBatch);
    EXPECT_EQ(summary.failed, 29);  // every 11th from 3 on, and two that are not finite
    LogDet::Out threaded;
    const CpuExecutor three(f.program, 3, {{}, true});
    EXPECT_EQ(f.run(three, LogDet::kBatch, {}, threaded).failed, summary.failed);
    EXPECT_EQ(threaded.status, whole.status);
    LogDet::Out alone;
    for (std::int64_t p = 0; p < LogDet::kBatch; ++p) {
        EXPECT_TRUE(threaded.gradient.same_bits(p, whole.gradient, p)) << p;
        const std::int64_t rows[] = {p};
        f.run(one, 1, rows, alone);
        EXPECT_TRUE(alone.value.same_bits(0, whole.value, p)) << p;
        EXPECT_TRUE(alone.gradient.same_bits(0, whole.gradient, p)) << p;
        EXPECT_EQ(alone.status[0], whole.status[static_cast<std::size_t>(p)]) << p;
    }
}

/// Leaves a stack whose numbers are NaN.
[[gnu::noinline]] void spoil_stack() {
    volatile std::byte memory[64 << 10];
    for (volatile std::byte& each : memory) {
        each = std::byte{0xff};
    }
}

TEST(SingleProblems, WhatTheStackHeldDoesNotMatter) {
    const LogDet f;
    const CpuExecutor executor(f.program, 1);
    LogDet::Out before;
    f.run(executor, LogDet::kBatch, {}, before);
    LogDet::Out after;
    for (std::int64_t p = 0; p < LogDet::kBatch; ++p) {
        const std::int64_t rows[] = {p};
        spoil_stack();
        f.run(executor, 1, rows, after);
        EXPECT_TRUE(after.gradient.same_bits(0, before.gradient, p)) << p;
        EXPECT_TRUE(after.value.same_bits(0, before.value, p)) << p;
    }
}

TEST(SingleProblems, FailWithTheStatusThatLanesGive) {
    const LogDet f;
    LogDet::Out single;
    LogDet::Out lanes;
    f.run({f.program, 1}, LogDet::kBatch, {}, single);
    f.run({f.program, 1, {detail::Layout::compact}}, LogDet::kBatch, {}, lanes);
    EXPECT_EQ(single.status, lanes.status);
    EXPECT_EQ(status_kind(single.status[5]), StatusKind::not_finite);
    for (std::int64_t p = 0; p < LogDet::kBatch; ++p) {
        const bool failed = single.status[static_cast<std::size_t>(p)] != 0;
        EXPECT_EQ(std::isnan(single.value.get(p, 0, 0)), failed) << p;
        EXPECT_EQ(std::isnan(single.gradient.get(p, 4, 2)), failed) << p;
    }
}

TEST(SingleProblems, OneAllocatesNothingAndTakesNoLock) {
    const LogDet f;
    LogDet::Out out;
    for (const bool workspace : {false, true}) {
        const CpuExecutor executor(f.program, 2);
        std::vector<std::byte> memory(executor.workspace_bytes());
        const ConstStrided in[] = {f.x.input()};
        const Strided results[] = {out.value.output(), out.gradient.output()};
        HostCall call{1, in, results, {}};
        if (workspace) {
            call.workspace = memory;
        }
        const std::int64_t allocations = allocation_count();
        const std::int64_t locks = g_locks.load();
        const RunSummary first = executor.run(call, {});  // the first one neither
        (void)executor.run(call, {});
        EXPECT_EQ(allocation_count() - allocations, 0);
        EXPECT_EQ(g_locks.load() - locks, 0);
        EXPECT_EQ(first.failed, 0);
    }
}

TEST(SingleProblems, LocksAreCounted) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const std::int64_t before = g_locks.load();
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    EXPECT_EQ(g_locks.load() - before, 1);
}

}  // namespace
}  // namespace matgrad::test
