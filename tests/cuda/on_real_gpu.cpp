/// Programs that run on real GPUs, and say so where there is none.

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "cuda/flavour.hpp"
#include "cuda/loader.hpp"
#include "matgrad/error.hpp"

namespace matgrad::test {
namespace {

std::string why_no_gpu() {
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        return why;
    }
    try {
        return module->devices().empty() ? "the driver finds no device" : "";
    } catch (const Error& error) {
        return error.what();
    }
}

class NeedsGpu : public testing::Environment {
public:
    void SetUp() override {
        if (const std::string why = why_no_gpu(); !why.empty()) {
            // In the words by which ctest knows a skipped test.
            GTEST_SKIP() << "[  SKIPPED ] no GPU to test on: " << why;
        }
    }
};

const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new NeedsGpu);

}  // namespace

bool is_simulated() {
    return false;
}

bool have_second_device() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 1;
}

}  // namespace matgrad::test
