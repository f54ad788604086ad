// The kernels of the peer, compiled by the real NVRTC with the headers of nvidia-mathdx, where they are:
// MATGRAD_MATHDX_ROOT, when this was built or now.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "bench/cpp_peers/mathdx/code.hpp"

namespace matgrad::bench {
namespace {

MathdxKernel kernel_of(Closed function, std::int64_t m, std::int64_t n, std::int64_t p,
                       bool in_double, int capability) {
    static char nowhere;
    PeerTask task{};
    task.function = function;
    task.in_double = in_double;
    task.m = m;
    task.n = n;
    task.p = p;
    task.value = &nowhere;
    task.gradient = &nowhere;
    return mathdx_kernel(task, capability).value();
}

void expect_compiled(const std::vector<MathdxKernel>& kernels) {
    const MathdxPlaces places = mathdx_places("");
    if (places.root.empty()) {
        GTEST_SKIP() << "no headers of nvidia-mathdx: MATGRAD_MATHDX_ROOT names no folder of them";
    }
    const std::vector<char> code = compile(places, kernels);
    const std::string text(code.begin(), code.end());
    EXPECT_EQ(text.substr(0, 4),
              "\x7f"
              "ELF");
    for (const MathdxKernel& kernel : kernels) {
        EXPECT_NE(text.find(".text." + kernel.name), std::string::npos) << kernel.name;
    }
}

TEST(MathdxCode, IsCompiledForAmpere) {
    expect_compiled({kernel_of(Closed::frobenius, 3, 8, 2, true, 80),
                     kernel_of(Closed::log_det_gram, 9, 5, 9, true, 80)});
}

TEST(MathdxCode, IsCompiledForHopper) {
    expect_compiled({kernel_of(Closed::log_det_gram, 64, 16, 64, false, 90),
                     kernel_of(Closed::log_det_gram, 64, 40, 64, false, 90),
                     kernel_of(Closed::frobenius, 64, 16, 32, false, 90)});
}

}  // namespace
}  // namespace matgrad::bench
