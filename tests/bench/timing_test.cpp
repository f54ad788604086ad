#include "bench/timing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

#include "bench/data.hpp"
#include "matgrad/error.hpp"

namespace matgrad::bench {
namespace {

TEST(Timing, GivesMedianAndQuartiles) {
    const Timing odd = summarise({5, 1, 4, 2, 3});
    EXPECT_EQ(odd.seconds, 3);
    EXPECT_EQ(odd.low, 2);
    EXPECT_EQ(odd.high, 4);
    EXPECT_EQ(odd.repeats, 5);
    const Timing even = summarise({4, 1, 3, 2});
    EXPECT_EQ(even.seconds, 2.5);
    EXPECT_EQ(even.low, 1.75);
    EXPECT_EQ(even.high, 3.25);
    EXPECT_EQ(summarise({7}).high, 7);
}

TEST(Timing, OfOneCallIsThatOfABlockSharedOut) {
    // A clock of our own: every call takes 1 us.
    std::int64_t calls = 0;
    Pace pace;
    pace.seconds = 0.01;
    const Timing timing = measure(
        [&](std::int64_t count) {
            calls += count;
            return 1e-6 * static_cast<double>(count);
        },
        pace, {0.002, 2e-4});
    EXPECT_NEAR(timing.seconds, 1e-6, 1e-18);
    EXPECT_EQ(timing.low, timing.high);
    EXPECT_GE(calls, 5 * 200);  // blocks of at least 200 us
}

TEST(Timing, RepeatsAtLeastFiveTimesUnlessThatTakesFarTooLong) {
    const auto sleeper = [](int ms) {
        return [ms](std::int64_t count) {
            std::this_thread::sleep_for(std::chrono::milliseconds(ms * count));
            return 1e-3 * static_cast<double>(ms * count);
        };
    };
    Pace pace;
    pace.seconds = 0.02;
    const Blocks blocks{0, 2e-4};
    EXPECT_GE(measure(sleeper(5), pace, blocks).repeats, 5);
    pace.seconds = 0.001;
    EXPECT_LT(measure(sleeper(20), pace, blocks).repeats, 5);
}

TEST(Timing, WarmsUpForAsLongAsIsAskedAndFitsBlocksToTheFasterClock) {
    Pace pace;
    pace.seconds = 0.002;
    double shortest = 0;
    // Where the machine stands still while the clock becomes faster, no block is there to show it: tried again.
    for (int attempt = 0; attempt < 5 && shortest < 1e-3; ++attempt) {
        // A clock of our own, which runs at a tenth of its speed for the first 20 ms.
        const Clock::time_point start = Clock::now();
        const Timing timing = measure(
            [&](std::int64_t count) {
                const bool cold = seconds_since(start) < 0.02;
                const double seconds = (cold ? 1e-5 : 1e-6) * static_cast<double>(count);
                shortest = cold ? 1 : seconds;
                std::this_thread::sleep_for(std::chrono::microseconds(50));
                return seconds;
            },
            pace, {0.04, 1e-3});
        EXPECT_NEAR(timing.low, 1e-6, 1e-12);
        EXPECT_NEAR(timing.high, 1e-6, 1e-12);
        EXPECT_GE(seconds_since(start), 0.04 + pace.seconds);
    }
    EXPECT_GE(shortest, 1e-3);
}

TEST(Timing, IsStoppedBetweenTwoBlocks) {
    Pace pace;
    pace.seconds = 1000;
    int blocks = 0;
    pace.check_stop = [&] {
        if (++blocks == 10) {
            throw Error("stop");
        }
    };
    EXPECT_THROW((void)measure_calls([](std::int64_t) {}, 1, pace), Error);
    EXPECT_EQ(blocks, 10);
}

TEST(Timing, TakesTheCopiesInTurn) {
    Pace pace;
    pace.seconds = 0.001;
    std::map<std::int64_t, int> used;
    std::int64_t last = -1;
    (void)measure_calls(
        [&](std::int64_t copy) {
            EXPECT_EQ(copy, (last + 1) % 3);
            last = copy;
            ++used[copy];
        },
        3, pace);
    EXPECT_EQ(used.size(), 3);
}

TEST(Copies, AreMoreThanTheCacheHoldsAndAtMostTheMemory) {
    EXPECT_EQ(copies_beyond(1000, 100, 1'000'000), 13);  // 1.25 times the cache
    EXPECT_EQ(copies_beyond(1000, 5000, 1'000'000), 1);
    EXPECT_EQ(copies_beyond(1000, 100, 500), 5);
    EXPECT_EQ(copies_beyond(1000, 100, 10), 1);
    EXPECT_EQ(copies_beyond(1000, 0, 10), 10);
}

}  // namespace
}  // namespace matgrad::bench
