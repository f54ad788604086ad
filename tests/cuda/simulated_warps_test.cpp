/// Warps on the simulated GPU: their barriers, what their threads exchange, and who waits for whom.

#include <cmath>
#include <numeric>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedWarp : public SimulatedTest {};

struct PairArgs {
    const double* from;
    double* to;
    long long n;
};

std::string with_pair_args(const std::string& kernel) {
    return "struct PairArgs { const double* from; double* to; long long n; };\n" + kernel;
}

std::vector<double> count_up(std::size_t n) {
    std::vector<double> numbers(n);
    std::iota(numbers.begin(), numbers.end(), 1.0);
    return numbers;
}

/// Every warp turns round its 32 numbers `args.n` times, an odd number, in its part of a shared array.
std::string turn_warps_round(const std::string& before_reads, const std::string& after_reads) {
    return with_pair_args(
        "MATGRAD_KERNEL(turn, PairArgs, 96) {"
        "  MATGRAD_SHARED(double, kept, 96);"
        "  const int t = thread_index();"
        "  const int other = t / kWarp * kWarp + kWarp - 1 - t % kWarp;"
        "  double mine = load(args.from + t);"
        "  for (long long i = 0; i < args.n; ++i) {"
        "    kept[t] = mine;" +
        before_reads + "    mine = kept[other];" + after_reads +
        "  }"
        "  store(args.to + t, mine);"
        "}");
}

std::vector<double> turned_warps(std::size_t n) {
    std::vector<double> numbers = count_up(n);
    for (auto warp = numbers.begin(); warp != numbers.end(); warp += 32) {
        std::reverse(warp, warp + 32);
    }
    return numbers;
}

TEST_F(SimulatedWarp, WithItsBarriersIsRightInEveryOrderOfThreads) {
    const TestKernel kernel(turn_warps_round("warp_barrier();", "warp_barrier();"), "turn");
    const DeviceArray<double> from(count_up(96));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(96);
        ASSERT_EQ(kernel.launch(1, 96, PairArgs{from.data(), to.data(), 5}), cudaSuccess);
        EXPECT_EQ(to.download(), turned_warps(96)) << "seed " << seed;
    }
    EXPECT_EQ(launches()[0].warp_barriers, 3 * 5 * 2);
    EXPECT_EQ(launches()[0].barriers, 0);
    EXPECT_EQ(launches()[0].shuffles, 0);
}

TEST_F(SimulatedWarp, WithoutOneOfItsBarriersIsWrongInEveryOrderOfThreads) {
    const TestKernel none(turn_warps_round("", ""), "turn");
    const TestKernel no_first(turn_warps_round("", "warp_barrier();"), "turn");
    const TestKernel no_second(turn_warps_round("warp_barrier();", ""), "turn");
    const DeviceArray<double> from(count_up(96));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        for (const TestKernel* kernel : {&none, &no_first, &no_second}) {
            const DeviceArray<double> to(96);
            ASSERT_EQ(kernel->launch(1, 96, PairArgs{from.data(), to.data(), 3}), cudaSuccess);
            EXPECT_NE(to.download(), turned_warps(96)) << "seed " << seed;
        }
    }
}

/// The first warp passes `args.n` barriers, the second half as many, and each says how far it is ahead.
TEST_F(SimulatedWarp, GoesManyBarriersAheadOfOthersOfItsBlock) {
    const TestKernel kernel(
        with_pair_args("MATGRAD_KERNEL(ahead, PairArgs, 64) {"
                       "  MATGRAD_SHARED(double, passed, 2);"
                       "  const int warp = thread_index() / kWarp;"
                       "  passed[warp] = 0;"
                       "  barrier();"
                       "  for (long long i = 0; i < (warp == 0 ? args.n : args.n / 2); ++i) {"
                       "    passed[warp] = static_cast<double>(i);"
                       "    const double lead = passed[0] - passed[1];"
                       "    if (lead > load(args.to)) { store(args.to, lead); }"
                       "    if (-lead > load(args.to + 1)) { store(args.to + 1, -lead); }"
                       "    warp_barrier();"
                       "  }"
                       "  barrier();"
                       "}"),
        "ahead");
    // As far as they can, more often than by chance.
    int first_was_ahead = 0;
    int second_was_ahead = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(std::vector<double>(2, 0.0));
        ASSERT_EQ(kernel.launch(1, 64, PairArgs{nullptr, to.data(), 40}), cudaSuccess);
        const std::vector<double> leads = to.download();
        first_was_ahead += leads[0] == 39 ? 1 : 0;
        second_was_ahead += leads[1] == 19 ? 1 : 0;
    }
    EXPECT_GE(first_was_ahead, 3);
    EXPECT_GE(second_was_ahead, 6);
    EXPECT_EQ(launches()[0].warp_barriers, 40 + 20);
    EXPECT_EQ(launches()[0].barriers, 2);
}

/// Threads say in which order they came: those of each warp four times, and those of the block once.
TEST_F(SimulatedWarp, RunsItsThreadsInAnotherOrderAfterEachBarrier) {
    const TestKernel kernel(
        with_pair_args("MATGRAD_KERNEL(order, PairArgs, 64) {"
                       "  MATGRAD_SHARED(int, came, 3);"
                       "  const int t = thread_index();"
                       "  if (t % kWarp == 0) { came[t / kWarp] = 0; came[2] = 0; }"
                       "  barrier();"
                       "  store(args.to + came[2]++, static_cast<double>(t));"
                       "  barrier();"
                       "  for (int i = 0; i < 4; ++i) {"
                       "    const int at = came[t / kWarp]++;"
                       "    store(args.to + 64 + t / kWarp * 128 + at, static_cast<double>(t));"
                       "    warp_barrier();"
                       "  } }"),
        "order");
    int mixed = 0;
    int apart = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(64 + 2 * 128);
        ASSERT_EQ(kernel.launch(1, 64, PairArgs{nullptr, to.data(), 0}), cudaSuccess);
        const std::vector<double> got = to.download();
        int changes = 0;  // of the warp that runs
        for (std::size_t i = 1; i < 64; ++i) {
            changes += (got[i] < 32) != (got[i - 1] < 32) ? 1 : 0;
        }
        (changes > 1 ? mixed : apart) += 1;
        const auto order = [&](std::ptrdiff_t warp, std::ptrdiff_t time) {
            const auto begin = got.begin() + 64 + warp * 128 + time * 32;
            return std::vector<double>(begin, begin + 32);
        };
        for (std::ptrdiff_t time = 0; time < 4; ++time) {
            std::vector<double> sorted = order(0, time);
            std::sort(sorted.begin(), sorted.end());
            EXPECT_EQ(sorted.front(), 0);
            EXPECT_EQ(sorted.back(), 31);
        }
        for (const std::ptrdiff_t warp : {0, 1}) {
            EXPECT_FALSE(order(warp, 1) == order(warp, 2) && order(warp, 2) == order(warp, 3))
                << "seed " << seed;
        }
    }
    EXPECT_GE(mixed, 1);
    EXPECT_GE(apart, 10);
}

TEST_F(SimulatedWarp, MayEndBeforeOthersOfItsBlockWait) {
    const TestKernel kernel(
        with_pair_args("MATGRAD_KERNEL(some, PairArgs, 128) {"
                       "  const int t = thread_index();"
                       "  if (t / kWarp % 2 == 0) { return; }"
                       "  const double first = from_lane(static_cast<double>(t), 0);"
                       "  warp_barrier();"
                       "  store(args.to + t, first); }"),
        "some");
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(std::vector<double>(128, -1.0));
        ASSERT_EQ(kernel.launch(1, 128, PairArgs{nullptr, to.data(), 0}), cudaSuccess);
        const std::vector<double> got = to.download();
        for (int t = 0; t < 128; ++t) {
            EXPECT_EQ(got[static_cast<std::size_t>(t)], t / 32 % 2 == 0 ? -1 : t / 32 * 32) << t;
        }
    }
    EXPECT_EQ(launches()[0].warp_barriers, 2);
    EXPECT_EQ(launches()[0].shuffles, 2);
}

/// By a barrier of the warp one may not see what another warp wrote.
TEST_F(SimulatedWarp, DoesNotWaitForTheBlock) {
    const auto kernel = [](const std::string& wait) {
        return with_pair_args(
            "MATGRAD_KERNEL(cross, PairArgs, 64) {"
            "  MATGRAD_SHARED(double, kept, 64);"
            "  const int t = thread_index();"
            "  kept[t] = load(args.from + t);" +
            wait +
            "  store(args.to + t, kept[63 - t]);"
            "}");
    };
    const TestKernel wrong(kernel("warp_barrier();"), "cross");
    const TestKernel right(kernel("barrier();"), "cross");
    const std::vector<double> numbers = count_up(64);
    const std::vector<double> expected(numbers.rbegin(), numbers.rend());
    const DeviceArray<double> from(numbers);
    int differed = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(64);
        ASSERT_EQ(right.launch(1, 64, PairArgs{from.data(), to.data(), 0}), cudaSuccess);
        EXPECT_EQ(to.download(), expected);
        ASSERT_EQ(wrong.launch(1, 64, PairArgs{from.data(), to.data(), 0}), cudaSuccess);
        differed += to.download() == expected ? 0 : 1;
    }
    EXPECT_GE(differed, 10);
}

TEST_F(SimulatedWarp, WhoseThreadsWaitForDifferentThingsIsReported) {
    struct Case {
        const char* body;
        const char* complaint;
    };
    const Case cases[] = {
        {"if (thread_index() % 2 == 0) { warp_barrier(); } else { barrier(); }",
         "16 threads of warp 0 of block 0 wait for the block while the others wait at the warp's"},
        {"if (thread_index() == 7) { warp_barrier(); }", "which another thread ended without"},
        {"warp_barrier();\nif (thread_index() != 7) { warp_barrier(); }",
         "1 threads of warp 0 of block 0 ended while the others wait at the warp's barrier"},
        {"if (thread_index() % 2 == 0) { warp_barrier(); } else {\nwarp_barrier(); }",
         "threads of a warp wait at different barriers, of lines"},
        {"if (thread_index() % 2 == 0) { warp_barrier(); } else { (void)from_lane(1, 0); }",
         "threads of a warp wait at different barriers, of lines"}};
    for (const Case& c : cases) {
        const TestKernel kernel(
            with_pair_args("MATGRAD_KERNEL(wrong, PairArgs, 32) {" + std::string(c.body) +
                           "  store(args.to + thread_index(), 1.0); }"),
            "wrong");
        int as_said = 0;
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            set_schedule({seed, 0.25});
            const DeviceArray<double> to(32);
            ASSERT_EQ(kernel.launch(1, 32, PairArgs{nullptr, to.data(), 0}), cudaSuccess);
            EXPECT_EQ(to.download(), std::vector<double>(32, 1.0));  // it ended all the same
            const std::vector<std::string> all = take_complaints();
            ASSERT_EQ(all.size(), 1u) << ::testing::PrintToString(all);
            EXPECT_THAT(all[0], ::testing::HasSubstr("barrier"));
            as_said += all[0].find(c.complaint) != std::string::npos ? 1 : 0;
        }
        // What is seen first depends on the order of the threads.
        EXPECT_GT(as_said, 0) << c.complaint;
    }
}

TEST_F(SimulatedWarp, GivesTheNumberOfAnyLaneInEveryOrderOfThreads) {
    const TestKernel kernel(
        with_pair_args("MATGRAD_KERNEL(give, PairArgs, 96) {"
                       "  const int t = thread_index();"
                       "  const int lane = t % kWarp;"
                       "  const double once = from_lane(load(args.from + t), 5 * lane % kWarp);"
                       "  const int twice = from_lane(static_cast<int>(once), 3);"
                       "  store(args.to + t, once + 1000.0 * twice); }"),
        "give");
    const DeviceArray<double> from(count_up(96));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const DeviceArray<double> to(96);
        ASSERT_EQ(kernel.launch(1, 96, PairArgs{from.data(), to.data(), 0}), cudaSuccess);
        const std::vector<double> got = to.download();
        for (int t = 0; t < 96; ++t) {
            const int warp = t / 32 * 32;
            EXPECT_EQ(got[static_cast<std::size_t>(t)],
                      warp + 1 + 5 * (t % 32) % 32 + 1000 * (warp + 1 + 15))
                << t;
        }
    }
    EXPECT_EQ(launches()[0].shuffles, 3 * 2);
    EXPECT_EQ(launches()[0].warp_barriers, 0);
}

/// Of lanes that are not there (the block ends within a warp, or the number is none of a lane), and of
/// one that called before but not now.
TEST_F(SimulatedWarp, GivesPoisonForLanesThatDoNotCall) {
    const TestKernel kernel(with_pair_args("MATGRAD_KERNEL(absent, PairArgs, 40) {"
                                           "  const int t = thread_index();"
                                           "  if (t < kWarp) { return; }"
                                           "  store(args.to + 0, from_lane(1.0, 8));"
                                           "  store(args.to + 1, from_lane(1.0, 7));"
                                           "  store(args.to + 2, from_lane(1.0, -1));"
                                           "  store(args.to + 3, from_lane(1.0, kWarp));"
                                           "  if (t == kWarp) { return; }"
                                           "  store(args.to + 4, from_lane(1.0, 0)); }"),
                            "absent");
    const DeviceArray<double> to(5);
    ASSERT_EQ(kernel.launch(1, 40, PairArgs{nullptr, to.data(), 0}), cudaSuccess);
    const std::vector<double> got = to.download();
    EXPECT_TRUE(std::isnan(got[0]));
    EXPECT_EQ(got[1], 1);
    EXPECT_TRUE(std::isnan(got[2]));
    EXPECT_TRUE(std::isnan(got[3]));
    EXPECT_TRUE(std::isnan(got[4]));
    expect_complaint("1 threads of warp 1 of block 0 ended while the others wait");
}

}  // namespace
}  // namespace matgrad::simulated
