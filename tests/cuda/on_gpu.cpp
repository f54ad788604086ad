/// The tests of the whole road, on the first GPU.

#include <algorithm>
#include <cstdlib>

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

}  // namespace

TestDevice test_device() {
    return {{DeviceKind::cuda, 0}, every()};
}

}  // namespace matgrad
