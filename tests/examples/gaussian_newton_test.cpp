// The example's own code, its main aside.
#define main gaussian_newton_main
#include "gaussian_newton.cpp"
#undef main

#include <gtest/gtest.h>

#include "counted_linearize.hpp"

namespace {

TEST(GaussianNewton, AllocatesNothingAfterItsFirstStepButForWhatItKeepsOfAPoint) {
    constexpr std::size_t num_problems = 300;
    const auto s = covariances(read_patients(MATGRAD_EXAMPLE_DATA "/diabetes.csv"), num_problems);
    Likelihood likelihood(s);
    CountedLinearize counted(likelihood);
    NewtonCG newton(counted, inverse_diagonals(s), num_problems, kConverged);
    ASSERT_TRUE(newton.step());
    const std::int64_t elsewhere = counted.elsewhere();
    const int products = newton.num_products();
    ASSERT_TRUE(newton.step());
    ASSERT_TRUE(newton.step());
    EXPECT_GT(newton.num_products(), products + 2);
    EXPECT_EQ(counted.elsewhere(), elsewhere);
}

TEST(GaussianNewton, ShortensStepsOutOfTheConeInTheirOwnProblemAlone) {
    // From P = 2 the full Newton step for S = 1.5 leads to P = 2*2 - 4*1.5 < 0; for S = 0.4 to 2.4.
    std::vector<double> s(2 * kEntries, 0.0);
    std::vector<double> p(s.size(), 0.0);
    for (std::size_t i = 0; i < kSize; ++i) {
        s[i * (kSize + 1)] = 1.5;
        s[kEntries + i * (kSize + 1)] = 0.4;
        p[i * (kSize + 1)] = p[kEntries + i * (kSize + 1)] = 2;
    }
    Likelihood likelihood(s);
    NewtonCG newton(likelihood, p, 2, kConverged);
    ASSERT_TRUE(newton.step());
    EXPECT_NEAR(newton.solution()[0], 1, 1e-12)
        << "half of the step from 2 to -2 is 0, a quarter 1";
    EXPECT_NEAR(newton.solution()[kEntries], 2.4, 1e-12);
    while (newton.step()) {
    }
    EXPECT_NEAR(newton.solution()[0], 1 / 1.5, 1e-9);
    EXPECT_EQ(newton.num_converged(), 2U);
}

}  // namespace
