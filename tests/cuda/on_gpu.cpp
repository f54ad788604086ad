/// The tests of the whole road, on the first GPU.

#include "cuda/flavour.hpp"
#include "road/test_device.hpp"

namespace matgrad {

TestDevice test_device() {
    // The simulated one compiles each plan with the host's compiler.
    return {{DeviceKind::cuda, 0}, test::is_simulated() ? 10 : 1};
}

}  // namespace matgrad
