/// The profile of a launch: counts that can be made by hand of kernels of a few lines.

#include <numeric>

#include "cuda/simulated_support.hpp"
#include "simulated_gpu/profile_text.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedProfile : public SimulatedTest {
protected:
    void SetUp() override {
        SimulatedTest::SetUp();
        profile_launches();
    }
};

struct Args {
    const float* from;
    float* to;
    long long n;
};

std::string with_args(const std::string& kernel) {
    return "struct Args { const float* from; float* to; long long n; };\n" + kernel;
}

/// Of one launch, of 1024 floats and as many results.
Profile profile_of(const std::string& text, const char* name, unsigned grid, unsigned block,
                   long long n = 0) {
    const TestKernel kernel(with_args(text), name);
    std::vector<float> numbers(1024);
    std::iota(numbers.begin(), numbers.end(), 0.0f);
    const DeviceArray<float> from(numbers);
    const DeviceArray<float> to(1024);
    EXPECT_EQ(kernel.launch(grid, block, Args{from.data(), to.data(), n}), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    return launches().back().profile.value();
}

/// accesses, lanes, partial, transfers, least transfers
std::vector<std::int64_t> counts(const WarpAccesses& all) {
    return {all.accesses, all.lanes, all.partial, all.transfers, all.least_transfers};
}
using Counts = std::vector<std::int64_t>;

TEST_F(SimulatedProfile, OfACoalescedCopyHasASectorFor32Bytes) {
    const Profile profile = profile_of(
        "MATGRAD_KERNEL(copy, Args, 64) {"
        "  const long long i = block_index() * 64 + thread_index();"
        "  store(args.to + i, load(args.from + i)); }",
        "copy", 2, 64);
    EXPECT_EQ(profile.blocks, 2);
    EXPECT_EQ(counts(profile.loads), (Counts{4, 128, 0, 128 * 4 / 32, 128 * 4 / 32}));
    EXPECT_EQ(counts(profile.stores), counts(profile.loads));
    EXPECT_EQ(profile.distinct_load_bytes, 512);
    EXPECT_EQ(profile.distinct_store_bytes, 512);
    EXPECT_EQ(counts(profile.shared_loads), (Counts{0, 0, 0, 0, 0}));
    EXPECT_EQ(counts(profile.shared_stores), (Counts{0, 0, 0, 0, 0}));
}

TEST_F(SimulatedProfile, CountsTheSectorsThatAWarpReads) {
    struct Case {
        const char* load;  ///< of thread t
        Counts loads;
        std::int64_t distinct_bytes;
    };
    const Case cases[] = {
        {"load(args.from + t)", {1, 32, 0, 4, 4}, 128},
        {"load(args.from + 1 + t)", {1, 32, 0, 5, 4}, 128},
        {"load(args.from + 2 * t)", {1, 32, 0, 8, 4}, 128},
        {"load(args.from + 31 * t)", {1, 32, 0, 32, 4}, 128},
        {"load(args.from + (31 - t))", {1, 32, 0, 4, 4}, 128},
        {"load(args.from + 7)", {1, 32, 0, 1, 1}, 4},
        {"load(args.from + t / 16 * 512)", {1, 32, 0, 2, 1}, 8},
        {"t < 8 ? load(args.from + t) : 0", {1, 8, 1, 1, 1}, 32},
        {"load(reinterpret_cast<const Pack<float, 4>*>(args.from) + t).entries[0]",
         {1, 32, 0, 16, 16},
         512},
        {"load(reinterpret_cast<const Pack<float, 2>*>(args.from) + 4 * t).entries[0]",
         {1, 32, 0, 32, 8},
         256},
        {"load(reinterpret_cast<const double*>(args.from) + t) > 0 ? 1 : 0", {1, 32, 0, 8, 8}, 256},
        {"load(args.from + t) + load(args.from + t)", {2, 64, 0, 8, 8}, 128}};
    for (const Case& c : cases) {
        const Profile profile = profile_of(
            "MATGRAD_KERNEL(one, Args, 32) { const int t = thread_index(); store(args.to + t, "
            "static_cast<float>(" +
                std::string(c.load) + ")); }",
            "one", 1, 32);
        EXPECT_EQ(counts(profile.loads), c.loads) << c.load;
        EXPECT_EQ(profile.distinct_load_bytes, c.distinct_bytes) << c.load;
        EXPECT_EQ(counts(profile.stores), (Counts{1, 32, 0, 4, 4})) << c.load;
    }
}

/// Each thread reads a row of 32: 32 sectors an access, the same ones again in the next seven.
TEST_F(SimulatedProfile, OfReadsDownColumnsHas32SectorsAnAccess) {
    const Profile profile = profile_of(
        "MATGRAD_KERNEL(columns, Args, 32) {"
        "  float sum = 0;"
        "  for (int i = 0; i < 32; ++i) { sum += load(args.from + thread_index() * 32 + i); }"
        "  store(args.to + thread_index(), sum); }",
        "columns", 1, 32);
    EXPECT_EQ(counts(profile.loads), (Counts{32, 1024, 0, 1024, 128}));
    EXPECT_EQ(profile.distinct_load_bytes, 4096);
}

TEST_F(SimulatedProfile, CountsTheWavefrontsOfBlockMemory) {
    struct Case {
        const char* load;  ///< of thread t
        Counts loads;
    };
    const Case cases[] = {{"load_shared(kept + t)", {1, 32, 0, 1, 1}},
                          {"load_shared(kept + (31 - t))", {1, 32, 0, 1, 1}},
                          {"load_shared(kept + 5)", {1, 32, 0, 1, 1}},  // a broadcast
                          {"load_shared(kept + t / 2)", {1, 32, 0, 1, 1}},
                          {"load_shared(kept + 2 * t)", {1, 32, 0, 2, 1}},
                          {"load_shared(kept + 32 * t)", {1, 32, 0, 32, 1}},
                          {"load_shared(kept + 33 * t)", {1, 32, 0, 1, 1}},  // padded
                          {"load_shared(kept + 31 * t)", {1, 32, 0, 1, 1}},
                          {"load_shared(kept + 16 * t)", {1, 32, 0, 16, 1}},
                          {"t % 2 == 0 ? load_shared(kept + 32 * t) : 0", {1, 16, 1, 16, 1}},
                          // 8 bytes: each half of a warp by itself.
                          {"load_shared(doubles + t) > 0", {1, 32, 0, 2, 2}},
                          {"load_shared(doubles + 2 * t) > 0", {1, 32, 0, 4, 2}},
                          {"load_shared(doubles + 16 * t) > 0", {1, 32, 0, 32, 2}},
                          {"load_shared(doubles + 17 * t) > 0", {1, 32, 0, 2, 2}},
                          {"load_shared(doubles + 9) > 0", {1, 32, 0, 2, 2}},
                          {"t < 16 ? load_shared(doubles + t) > 0 : 0", {1, 16, 1, 1, 1}},
                          // 16 bytes: each quarter.
                          {"load_shared(packs + t).entries[3]", {1, 32, 0, 4, 4}},
                          {"load_shared(packs + 2 * t).entries[3]", {1, 32, 0, 8, 4}},
                          {"load_shared(packs + 8 * t).entries[3]", {1, 32, 0, 32, 4}},
                          {"load_shared(packs + 9 * t).entries[3]", {1, 32, 0, 4, 4}}};
    for (const Case& c : cases) {
        const Profile profile = profile_of(
            "MATGRAD_KERNEL(one, Args, 32) {"
            "  using Packs = Pack<float, 4>; MATGRAD_SHARED(Packs, packs, 288);"
            "  float* const kept = packs[0].entries;"
            "  double* const doubles = reinterpret_cast<double*>(packs);"
            "  const int t = thread_index();"
            "  store(args.to + t, static_cast<float>(" +
                std::string(c.load) + ")); }",
            "one", 1, 32);
        EXPECT_EQ(counts(profile.shared_loads), c.loads) << c.load;
        EXPECT_EQ(counts(profile.shared_stores), (Counts{0, 0, 0, 0, 0}));
    }
}

/// A tile of 32 rows is written by rows and read by columns.
TEST_F(SimulatedProfile, OfATransposeShowsThePaddingOfItsTile) {
    for (const int stride : {32, 33}) {
        const Profile profile = profile_of(
            "MATGRAD_KERNEL(transpose, Args, 32) {"
            "  constexpr int kStride = " +
                std::to_string(stride) +
                ";"
                "  MATGRAD_BLOCK_MEMORY(memory, 0);"
                "  MATGRAD_SHARED(float, tile, 32 * kStride);"
                "  const int t = thread_index();"
                "  for (int i = 0; i < 32; ++i) {"
                "    store_shared(tile + i * kStride + t, load(args.from + i * 32 + t)); }"
                "  warp_barrier();"
                "  for (int i = 0; i < 32; ++i) {"
                "    store(args.to + i * 32 + t, load_shared(tile + t * kStride + i)); }"
                "}",
            "transpose", 1, 32);
        EXPECT_EQ(counts(profile.loads), (Counts{32, 1024, 0, 128, 128}));
        EXPECT_EQ(counts(profile.stores), (Counts{32, 1024, 0, 128, 128}));
        EXPECT_EQ(counts(profile.shared_stores), (Counts{32, 1024, 0, 32, 32}));
        EXPECT_EQ(counts(profile.shared_loads),
                  (Counts{32, 1024, 0, stride == 32 ? 1024 : 32, 32}));
        EXPECT_EQ(profile.warp_barriers, 1);
        EXPECT_EQ(profile.barriers, 0);
    }
}

TEST_F(SimulatedProfile, CountsAccessesThatSomeThreadsOfAWarpDoNotTakePartIn) {
    const std::string text =
        "MATGRAD_KERNEL(uneven, Args, 64) {"
        "  const int t = thread_index();"
        "  const int rounds = t % 32 < 16 ? 3 : 2;"
        "  float sum = 0;"
        "  for (int i = 0; i < rounds; ++i) { sum += load(args.from + 64 * i + t); }"
        "  store(args.to + t, sum); }";
    EXPECT_EQ(counts(profile_of(text, "uneven", 1, 64).loads),
              (Counts{6, 160, 2, 2 * (4 + 4 + 2), 2 * (4 + 4 + 2)}));
    // A warp that the block ends within is whole.
    EXPECT_EQ(counts(profile_of(text, "uneven", 1, 48).loads), (Counts{6, 128, 1, 16, 16}));
}

/// One place in a function that half of the threads call twice before all of them call it once.
TEST_F(SimulatedProfile, MatchesTheThreadsOfAWarpAnewAfterEachBarrier) {
    const auto text = [](const std::string& wait) {
        return "MATGRAD_DEVICE float get(const float* from) { return load(from); }"
               "MATGRAD_KERNEL(again, Args, 32) {"
               "  const int t = thread_index();"
               "  float sum = 0;"
               "  for (int i = 0; i < (t < 16 ? 2 : 0); ++i) { sum += get(args.from + 16 + t); }" +
               wait +
               "  sum += get(args.from + t);"
               "  store(args.to + t, sum); }";
    };
    const Counts apart = {3, 64, 2, 2 + 2 + 4, 2 + 2 + 4};
    EXPECT_EQ(counts(profile_of(text("warp_barrier();"), "again", 1, 32).loads), apart);
    EXPECT_EQ(counts(profile_of(text("barrier();"), "again", 1, 32).loads), apart);
    EXPECT_EQ(counts(profile_of(text("(void)from_lane(t, 0);"), "again", 1, 32).loads), apart);
    // The first call of one half of the warp with the only one of the other, of the same bytes.
    EXPECT_EQ(counts(profile_of(text(""), "again", 1, 32).loads),
              (Counts{3, 64, 2, 2 + 2 + 2, 2 + 2 + 2}));
}

constexpr const char* kWaits =
    "MATGRAD_KERNEL(waits, Args, 64) {"
    "  const int t = thread_index();"
    "  float sum = load(args.from + t);"
    "  for (int half = 16; half > 0; half /= 2) { sum += from_neighbour(sum, half); }"
    "  sum = from_lane(sum, 0);"
    "  if (t < 32) { warp_barrier(); warp_barrier(); }"
    "  for (int i = 0; i < 3; ++i) { barrier(); }"
    "  store(args.to + t, sum); }";

TEST_F(SimulatedProfile, IsOfTheFirstFourBlocksAndTheLast) {
    for (const auto& [grid, blocks] : {std::pair{1u, 1}, {4u, 4}, {5u, 5}, {9u, 5}}) {
        const Profile profile = profile_of(kWaits, "waits", grid, 64);
        EXPECT_EQ(profile.blocks, blocks);
        EXPECT_EQ(profile.barriers, blocks * 3);
        EXPECT_EQ(profile.warp_barriers, blocks * 2);
        EXPECT_EQ(profile.shuffles, blocks * 2 * 6);
        EXPECT_EQ(counts(profile.loads),
                  (Counts{blocks * 2, blocks * 64, 0, blocks * 8, blocks * 8}));
        EXPECT_EQ(launches().back().barriers, grid * 3);
        EXPECT_EQ(launches().back().loads, grid * 64);
    }
    const Profile last = profile_of(
        "MATGRAD_KERNEL(some, Args, 1) {"
        "  if (block_index() >= 4) { store(args.to + block_index(), 1.0f); } }",
        "some", 100, 1);
    EXPECT_EQ(last.stores.accesses, 1);
}

TEST_F(SimulatedProfile, IsTheSameInEveryOrderOfThreads) {
    std::optional<Profile> first;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        set_schedule({seed, 0.25});
        const Profile profile = profile_of(kWaits, "waits", 5, 64);
        first = first.value_or(profile);
        EXPECT_EQ(counts(profile.loads), counts(first->loads));
        EXPECT_EQ(counts(profile.stores), counts(first->stores));
        EXPECT_EQ(profile.shuffles, first->shuffles);
    }
}

TEST_F(SimulatedProfile, NamesThePlacesThatMoveMostFirst) {
    const Profile profile = profile_of(
        "MATGRAD_KERNEL(places, Args, 32) {\n"
        "  MATGRAD_SHARED(float, kept, 64);\n"
        "  const int t = thread_index();\n"
        "  store_shared(kept + 2 * t, load(args.from + t));\n"
        "  store(args.to + t,\n"
        "        load(args.from + 8 * t) + load(args.from + 16 * (t / 2))); }",
        "places", 1, 32);
    ASSERT_EQ(profile.places.size(), 5u);
    struct Case {
        int line;
        AccessKind kind;
        std::int64_t transfers;
    };
    // The text begins three lines above the kernel's first.
    const Case cases[] = {{9, AccessKind::load, 32},
                          {9, AccessKind::load, 16},
                          {7, AccessKind::load, 4},
                          {8, AccessKind::store, 4},
                          {7, AccessKind::shared_store, 2}};
    for (std::size_t i = 0; i < 5; ++i) {
        const PlaceProfile& place = profile.places[i];
        EXPECT_EQ(place.file, "test.cu");
        EXPECT_EQ(place.line, cases[i].line) << i;
        EXPECT_EQ(place.kind, cases[i].kind) << i;
        EXPECT_EQ(place.all.transfers, cases[i].transfers) << i;
        EXPECT_EQ(place.bytes, 4);
        EXPECT_THAT(place.function, ::testing::HasSubstr("places"));
    }
    EXPECT_LT(profile.places[0].column, profile.places[1].column);
}

/// One place in a function for two of its callers, unless it passes theirs on.
TEST_F(SimulatedProfile, NamesTheCallersOfAFunctionThatPassesTheirPlacesOn) {
    for (const bool passes : {true, false}) {
        const std::string parameter = passes ? " MATGRAD_PLACE_PARAMETER" : "";
        const std::string argument = passes ? " MATGRAD_PLACE" : "";
        const Profile profile = profile_of("MATGRAD_DEVICE float get(const float* from" +
                                               parameter + ") { return load(from" + argument +
                                               "); }"
                                               "MATGRAD_KERNEL(callers, Args, 32) {\n"
                                               "  const int t = thread_index();\n"
                                               "  float sum = get(args.from + 2 * t);\n"
                                               "  sum += get(args.from + t);\n"
                                               "  store(args.to + t, sum); }",
                                           "callers", 1, 32);
        EXPECT_EQ(profile.loads.transfers, 8 + 4);
        ASSERT_EQ(profile.places.size(), passes ? 3u : 2u);
        EXPECT_EQ(profile.places[0].line, passes ? 6 : 4);
        EXPECT_EQ(profile.places[1].line, passes ? 7 : 8);
    }
}

TEST_F(SimulatedProfile, IsGivenAsText) {
    const std::string text =
        "MATGRAD_KERNEL(told, Args, 32) {\n"
        "  MATGRAD_SHARED(float, kept, 64);\n"
        "  const int t = thread_index();\n"
        "  store_shared(kept + 2 * t, load(args.from + 4 * t));\n"
        "  const float next = from_neighbour(1.0f, 1);\n"
        "  if (t > 0) { store(args.to + t, next); } }";
    (void)profile_of(text, "told", 6, 32);
    EXPECT_EQ(
        describe(launches().back()),
        "told: 6 blocks of 32 threads, 256 bytes of block memory\n"
        "  5 blocks profiled\n"
        "  loads: 5 accesses (0 without some threads) of 80 sectors, 4.00 of the least, of 640 "
        "distinct bytes\n"
        "  stores: 5 accesses (5 without some threads) of 20 sectors, 1.00 of the least, of 620 "
        "distinct bytes\n"
        "  block memory stores: 5 accesses (0 without some threads) of 10 wavefronts, 2.00 of "
        "the least\n"
        "  barriers: 0 of blocks, 0 of warps; shuffles: 5\n"
        "  test.cu:7:34 loads of 4 bytes: 5 accesses (0 without some threads) of 80 sectors, "
        "4.00 of the least\n"
        "  test.cu:9:21 stores of 4 bytes: 5 accesses (5 without some threads) of 20 sectors, "
        "1.00 of the least\n"
        "  test.cu:7:15 block memory stores of 4 bytes: 5 accesses (0 without some threads) of "
        "10 wavefronts, 2.00 of the least\n");
}

TEST_F(SimulatedProfile, CountsAnAtomicAdditionAsALoadAndAStore) {
    const TestKernel kernel(
        "struct Sum { long long* sum; };"
        "MATGRAD_KERNEL(count, Sum, 64) { atomic_add(args.sum, 3); }",
        "count");
    const DeviceArray<long long> sum(std::vector<long long>{0});
    ASSERT_EQ(kernel.launch(1, 64, sum.data()), cudaSuccess);
    EXPECT_EQ(sum.download()[0], 192);
    const Profile profile = launches()[0].profile.value();
    EXPECT_EQ(counts(profile.loads), (Counts{2, 64, 0, 2, 2}));
    EXPECT_EQ(counts(profile.stores), (Counts{2, 64, 0, 2, 2}));
    EXPECT_EQ(profile.places.at(0).file, "test.cu");
}

TEST_F(SimulatedProfile, StillReportsWhatIsOutOfBounds) {
    const std::string text =
        "MATGRAD_KERNEL(past, Args, 1) {"
        "  MATGRAD_SHARED(float, kept, 8);"
        "  if (args.n > 8) { store(args.to + args.n, 1.0f); }"
        "  else { store_shared(kept + args.n, 1.0f); } }";
    EXPECT_EQ(profile_of(text, "past", 1, 1, 1024).stores.accesses, 0);
    expect_complaint("stores 4 bytes outside all memory");
    EXPECT_EQ(profile_of(text, "past", 1, 1, 8).shared_stores.accesses, 0);
    expect_complaint("stores 4 bytes past the end of block memory kept");
}

TEST_F(SimulatedProfile, IsNotMadeUnlessAskedFor) {
    const TestKernel kernel(with_args(kWaits), "waits");
    const DeviceArray<float> numbers(1024);
    const Args args{numbers.data(), numbers.data(), 0};
    const auto is_profiled = [&] {
        EXPECT_EQ(kernel.launch(1, 64, args), cudaSuccess);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        return launches().back().profile.has_value();
    };
    EXPECT_TRUE(is_profiled());
    profile_launches(false);
    EXPECT_FALSE(is_profiled());
    profile_launches();
    EXPECT_TRUE(is_profiled());
    reset();
    EXPECT_FALSE(is_profiled());
}

}  // namespace
}  // namespace matgrad::simulated
