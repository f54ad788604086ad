#include "road/test_device.hpp"

namespace matgrad {

TestDevice test_device() {
    return {{DeviceKind::cpu, 0}};
}

}  // namespace matgrad
