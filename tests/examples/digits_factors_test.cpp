// The example's own code, its main aside.
#define main digits_factors_main
#include "digits_factors.cpp"
#undef main

#include <gtest/gtest.h>

#include "support/allocation_count.hpp"

namespace {

std::vector<double> images() {
    return read_images(MATGRAD_EXAMPLE_DATA "/digits/images.txt");
}

TEST(PrincipalComponents, AllocateNothingAfterTheirFirstEpoch) {
    const std::vector<double> x = images();
    PrincipalComponents components(x);
    const double at_first = components.epoch();
    const std::int64_t before = matgrad::test::allocation_count();
    components.epoch();
    EXPECT_LT(components.epoch(), at_first);
    EXPECT_EQ(matgrad::test::allocation_count(), before);
}

TEST(Factorisation, AllocatesNothingAfterItsFirstSteps) {
    const std::vector<double> x = images();
    const Factorisation factorisation(x);
    std::vector<double> start(kShared + x.size() / kPixels * kRank, 0.1);
    start[0] = 0;
    Lbfgs lbfgs(factorisation, start, 1e-9);
    ASSERT_TRUE(lbfgs.step());
    const std::int64_t before = matgrad::test::allocation_count();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(lbfgs.step());
    }
    EXPECT_EQ(matgrad::test::allocation_count(), before);
}

}  // namespace
