#include "cpu/plain/blas_core.hpp"

#include <cstdlib>
#include <mutex>
#include <string_view>

// OpenBLAS built for many processors has these; anything else does not.
extern "C" {
__attribute__((weak)) char* openblas_get_corename(void);
__attribute__((weak)) void gotoblas_dynamic_init(void);
__attribute__((weak)) void gotoblas_dynamic_quit(void);
}

namespace matgrad::detail {
namespace {

constexpr const char* kVariable = "OPENBLAS_CORETYPE";

/// The name that OpenBLAS has for kernels of these instructions; null if it does as well by itself.
const char* core_of_this_processor() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
        return "SKYLAKEX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return "HASWELL";
    }
#endif
    return nullptr;
}

void choose() {
    if (openblas_get_corename == nullptr || gotoblas_dynamic_init == nullptr ||
        gotoblas_dynamic_quit == nullptr || std::getenv(kVariable) != nullptr) {
        return;
    }
    const char* core = core_of_this_processor();
    if (core == nullptr || std::string_view(openblas_get_corename()) != "Prescott") {
        return;
    }
    if (setenv(kVariable, core, 1) == 0) {
        gotoblas_dynamic_quit();
        gotoblas_dynamic_init();
        (void)unsetenv(kVariable);
    }
}

}  // namespace

void choose_blas_core() {
    static std::once_flag once;
    std::call_once(once, choose);
}

}  // namespace matgrad::detail
