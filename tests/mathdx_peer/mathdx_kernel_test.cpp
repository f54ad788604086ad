// Which kernel computes a task.

#include <gtest/gtest.h>

#include "bench/cpp_peers/mathdx/kernel.hpp"

namespace matgrad::bench {
namespace {

PeerTask task_of(Closed function, std::int64_t m, std::int64_t n, std::int64_t p, bool in_double,
                 bool with_gradient = true) {
    static char nowhere;
    PeerTask task{};
    task.function = function;
    task.in_double = in_double;
    task.m = m;
    task.n = n;
    task.p = p;
    task.batch = 10;
    task.value = &nowhere;
    task.gradient = with_gradient ? &nowhere : nullptr;
    return task;
}

std::string name_of(const PeerTask& task, int capability = 90) {
    const auto kernel = mathdx_kernel(task, capability);
    return kernel ? kernel->name : "none";
}

TEST(MathdxKernel, IsThereForTwoOfTheFourFunctions) {
    EXPECT_EQ(name_of(task_of(Closed::log_det_gram, 64, 16, 64, false)),
              "log_det_gram_64x16_float");
    EXPECT_EQ(name_of(task_of(Closed::frobenius, 64, 16, 32, true)),
              "frobenius_by_gram_64x16x32_double");
    EXPECT_EQ(name_of(task_of(Closed::least_squares, 64, 16, 64, false)), "none");
    EXPECT_EQ(name_of(task_of(Closed::bilinear_trace, 64, 16, 32, false)), "none");
}

TEST(MathdxKernel, MultipliesInTheOrderThatComputesLess) {
    // 6*4*4 + 9*4*4 < 2 * 9*4*6, but not less than 9*4*6.
    EXPECT_EQ(name_of(task_of(Closed::frobenius, 9, 4, 6, true)), "frobenius_by_gram_9x4x6_double");
    EXPECT_EQ(name_of(task_of(Closed::frobenius, 9, 4, 6, true, false)),
              "frobenius_by_products_9x4x6_double");
    EXPECT_EQ(name_of(task_of(Closed::frobenius, 3, 8, 2, true)),
              "frobenius_by_products_3x8x2_double");
}

TEST(MathdxKernel, FitsTheSharedMemoryOfTheDevice) {
    // X and X'X in rows of 128 + 4 floats: 384 * 132 * 4 bytes, more than 163 KiB and less than 227.
    const PeerTask large = task_of(Closed::log_det_gram, 256, 128, 256, false);
    const auto kernel = mathdx_kernel(large, 90);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(kernel->shared_bytes, 384u * 132 * 4);
    EXPECT_EQ(kernel->threads, 256);
    EXPECT_FALSE(mathdx_kernel(large, 80));
    EXPECT_FALSE(mathdx_kernel(task_of(Closed::log_det_gram, 256, 128, 256, true), 90));
    EXPECT_FALSE(mathdx_kernel(task_of(Closed::log_det_gram, 4096, 256, 4096, true), 90));
    EXPECT_FALSE(mathdx_kernel(task_of(Closed::frobenius, 16, 16, 65536, false), 90));
    EXPECT_FALSE(mathdx_kernel(task_of(Closed::frobenius, 16, 16, 100000000000, false), 90));
}

TEST(MathdxKernel, IsForDevicesThatCublasdxKnows) {
    const PeerTask task = task_of(Closed::log_det_gram, 64, 16, 64, false);
    for (const int capability : {80, 86, 87, 89, 90, 100, 103, 120, 121}) {
        EXPECT_TRUE(mathdx_kernel(task, capability)) << capability;
    }
    EXPECT_FALSE(mathdx_kernel(task, 70));
    EXPECT_FALSE(mathdx_kernel(task, 130));
}

TEST(MathdxKernel, HasRowsInDifferentBanks) {
    EXPECT_EQ(block::leading_dimension(16, 4), 20);
    EXPECT_EQ(block::leading_dimension(16, 8), 18);
    EXPECT_EQ(block::leading_dimension(9, 4), 9);
    EXPECT_EQ(block::row_alignment(9, 4), 4);
    EXPECT_EQ(block::row_alignment(16, 8), 16);
}

}  // namespace
}  // namespace matgrad::bench
