/// The tests of the whole road, on the first GPU.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "cuda/flavour.hpp"
#include "road/test_device.hpp"

namespace matgrad {
namespace {

/// As the environment says; the simulated GPU compiles each plan with the host's compiler, a real one with
/// NVRTC, which takes a third of a second.
int every() {
    if (const char* text = std::getenv("MATGRAD_TEST_EVERY"); text != nullptr) {
        return std::max(1, std::atoi(text));
    }
    return test::is_simulated() ? 20 : 1;
}

/// `automatic`, or as the environment says.
GpuExecutor executor() {
    const char* const text = std::getenv("MATGRAD_TEST_EXECUTOR");
    const std::string name = text == nullptr ? "" : text;
    return name == "library" ? GpuExecutor::library
           : name == "fused" ? GpuExecutor::fused
                             : GpuExecutor::automatic;
}

}  // namespace

TestDevice test_device() {
    return {{DeviceKind::cuda, 0}, every(), executor()};
}

}  // namespace matgrad
