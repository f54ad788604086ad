// Functions nobody wrote: random texts of the language through the whole road.

#include <gtest/gtest.h>

#include <iostream>

#include "road/random_function.hpp"
#include "road/road_check.hpp"

namespace matgrad {
namespace {

TEST(RandomFunctions, AgreeWithTheOracle) {
    int compared = 0;
    int drawn = 0;
    const Seeds seeds;
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const RandomFunction draw = random_function(seed);
        if (!draw.f) {
            continue;
        }
        ++drawn;
        const Batched batched = seed % 2 == 0 ? Batched::all : Batched::variable;
        const Case small{{{"m", 5}, {"n", 3}}, batched, 3};
        compared +=
            expect_row<double>(draw.f, draw.wrt, small, Accuracy::robust, Kind::random) > 0 ? 1 : 0;
        expect_row<float>(draw.f, draw.wrt, small, Accuracy::robust, Kind::random);
        if (seed % 8 == 0) {
            expect_row<double>(draw.f, draw.wrt, {{{"m", 70}, {"n", 66}}, batched, 2},
                               Accuracy::robust, Kind::random);
        }
        if (HasFailure()) {
            break;  // one is enough to read
        }
    }
    std::cout << drawn << " functions, " << compared << " compared\n";
    EXPECT_GT(drawn, static_cast<int>(seeds.last - seeds.first) / 3);
    constexpr int kMany = 50;  // of a few, chance may leave fewer
    EXPECT_GT(compared, drawn / (drawn > kMany ? 3 : 10)) << "of " << drawn;
}

}  // namespace
}  // namespace matgrad
