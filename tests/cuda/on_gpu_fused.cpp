/// The tests of the whole road, on the first GPU, where one kernel does all that is done for each problem.

#include <algorithm>
#include <cstdlib>

#include "cuda/flavour.hpp"
#include "road/test_device.hpp"

namespace matgrad {

TestDevice test_device() {
    const char* const text = std::getenv("MATGRAD_TEST_EVERY");
    const int every = text != nullptr        ? std::max(1, std::atoi(text))
                      : test::is_simulated() ? 12
                                             : 4;
    return {{DeviceKind::cuda, 0}, every, GpuExecutor::fused};
}

}  // namespace matgrad
