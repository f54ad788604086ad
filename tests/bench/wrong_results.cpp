// A module of the right version whose results are off by 1% in one entry of one problem.
#include <cstring>

#include "bench/host_module.hpp"

extern "C" __attribute__((visibility("default"))) const matgrad::gpu::Module* matgrad_cuda_module(
    const char* version) {
    static const matgrad::bench_test::HostModule module(0.01);
    return std::strcmp(version, MATGRAD_MODULE_VERSION) == 0 ? &module : nullptr;
}
