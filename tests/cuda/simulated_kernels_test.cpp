/// Kernels on the simulated GPU: compiled, launched, counted, and caught at what hardware may not show.

#include <gtest/gtest.h>

#include <numeric>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

struct ReverseArgs {
    const double* from;
    double* to;
    int n;
};

TEST(SimulatedKernel, RunsEveryThreadOfEveryBlockAndCountsItsAccesses) {
    reset();
    const TestKernel kernel(
        "struct Args { const double* from; double* to; int n; };"
        "MATGRAD_KERNEL(reverse, Args, 64) {"
        "  long long i = block_index() * block_size() + thread_index();"
        "  if (i < args.n) { store(args.to + (args.n - 1 - i), load(args.from + i)); }"
        "}",
        "reverse");
    const int n = 1000;
    std::vector<double> numbers(n);
    std::iota(numbers.begin(), numbers.end(), 0.0);
    const DeviceArray<double> from(numbers);
    const DeviceArray<double> to(n);
    const ReverseArgs args{from.data(), to.data(), n};
    ASSERT_EQ(kernel.launch(16, 64, &args), cudaSuccess);
    std::vector<double> expected(numbers.rbegin(), numbers.rend());
    EXPECT_EQ(to.download(), expected);
    ASSERT_EQ(launches().size(), 1u);
    EXPECT_EQ(launches()[0].loads, n);
    EXPECT_EQ(launches()[0].stores, n);
    EXPECT_EQ(launches()[0].load_bytes, 8 * n);
    expect_no_complaints();
}

}  // namespace
}  // namespace matgrad::simulated
