#include "executor/workers.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <vector>

namespace matgrad::test {
namespace {

using detail::for_each_index;
using detail::run_workers;

TEST(Workers, EveryIndexIsCalledOnce) {
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::atomic<int>> calls(static_cast<std::size_t>(1 + round % 7));
        run_workers(static_cast<int>(calls.size()),
                    [&](int i) { calls[static_cast<std::size_t>(i)].fetch_add(1); });
        for (const std::atomic<int>& count : calls) {
            ASSERT_EQ(count.load(), 1);
        }
    }
}

TEST(Workers, NoneIsCalledForNone) {
    run_workers(0, [](int) { FAIL(); });
    for_each_index({4}, 0, [](std::int64_t) { FAIL(); });
}

TEST(Workers, ThreadsAreKeptFromOneCallToTheNext) {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> inside{0};
        run_workers(2, [&](int) {
            inside.fetch_add(1);
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
            while (inside.load() < 2 && std::chrono::steady_clock::now() < end) {
                std::this_thread::yield();
            }
            const std::lock_guard lock(mutex);
            seen.insert(std::this_thread::get_id());
        });
        ASSERT_EQ(inside.load(), 2) << "one thread did both";
    }
    EXPECT_EQ(seen.count(std::this_thread::get_id()), 1U);
    // Other tests of this program may have started more threads than this one needs.
    EXPECT_LT(seen.size(), 20U);
}

TEST(Workers, CallsWithinCallsAndFromSeveralThreadsEnd) {
    std::atomic<int> calls{0};
    const auto nested = [&calls] {
        run_workers(3, [&calls](int) { run_workers(4, [&calls](int) { calls.fetch_add(1); }); });
    };
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&nested] {
            for (int round = 0; round < 200; ++round) {
                nested();
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
    EXPECT_EQ(calls.load(), 4 * 200 * 12);
}

TEST(Workers, IndicesOfALoopAreSharedOut) {
    std::vector<std::atomic<int>> calls(1000);
    for_each_index({3}, 1000,
                   [&](std::int64_t i) { calls[static_cast<std::size_t>(i)].fetch_add(1); });
    EXPECT_TRUE(
        std::all_of(calls.begin(), calls.end(), [](const auto& c) { return c.load() == 1; }));
}

/// Thrown on whatever thread, after which the others go on.
TEST(Workers, TheFirstExceptionLeavesTheCallWhenAllHaveReturned) {
    const Parallel own = [](int count, const std::function<void(int)>& work) {
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) {
            threads.emplace_back([&work, i] { work(i); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    };
    for (const Parallel* pool : {static_cast<const Parallel*>(nullptr), &own}) {
        for (int round = 0; round < 50; ++round) {
            std::atomic<int> calls{0};
            const auto caller = std::this_thread::get_id();
            const auto work = [&](int) {
                calls.fetch_add(1);
                const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
                while (calls.load() < 3 && std::chrono::steady_clock::now() < end) {
                    std::this_thread::yield();
                }
                if (std::this_thread::get_id() != caller) {
                    throw std::bad_alloc();
                }
            };
            EXPECT_THROW((detail::Threads{3, pool}.run(3, work)), std::bad_alloc);
            ASSERT_EQ(calls.load(), 3);
        }
        detail::Threads{3, pool}.run(3, [](int) {});
    }
}

TEST(Workers, AForkedChildWorksToo) {
    run_workers(2, [](int) {});
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::atomic<int> calls{0};
        run_workers(8, [&](int) { calls.fetch_add(1); });
        _exit(calls.load() == 8 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace matgrad::test
