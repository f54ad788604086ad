// The example's own code, its main aside.
#define main logistic_bootstrap_main
#include "logistic_bootstrap.cpp"
#undef main

#include <gtest/gtest.h>

#include "counted_linearize.hpp"

namespace {

TEST(LogisticBootstrap, AllocatesNothingAfterItsFirstStepButForWhatItKeepsOfAPoint) {
    constexpr std::size_t num_problems = 40;
    const Tumours tumours = read_tumours(MATGRAD_EXAMPLE_DATA "/breast_cancer/data.csv");
    Loss loss(tumours, draw_counts({}, num_problems, tumours.num_rows));
    CountedLinearize counted(loss);
    NewtonCG newton(counted, std::vector<double>(num_problems * kCols, 0.0), num_problems,
                    kConverged);
    ASSERT_TRUE(newton.step());
    const std::int64_t elsewhere = counted.elsewhere();
    ASSERT_TRUE(newton.step());
    ASSERT_TRUE(newton.step());
    EXPECT_EQ(counted.elsewhere(), elsewhere);
}

}  // namespace
