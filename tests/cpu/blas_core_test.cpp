/// The kernels that the BLAS runs.

#include <gtest/gtest.h>

#include <cstdlib>

#include "cpu/plain/blas.hpp"

extern "C" {
__attribute__((weak)) char* openblas_get_corename(void);
}

namespace matgrad::test {
namespace {

#if defined(__x86_64__)
TEST(BlasCore, IsNotTheFallbackOfAProcessorWithoutVectorInstructions) {
    const detail::BlasThreads in_use;
    if (openblas_get_corename == nullptr || std::getenv("OPENBLAS_CORETYPE") != nullptr ||
        !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        GTEST_SKIP() << "no OpenBLAS, or nothing to be chosen";
    }
    // What OpenBLAS takes where it does not know the processor.
    EXPECT_STRNE(openblas_get_corename(), "Prescott");
}
#endif

}  // namespace
}  // namespace matgrad::test
