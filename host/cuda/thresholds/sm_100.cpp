// Measured on Blackwell (sm_100): nothing yet.
#include "cuda/thresholds.hpp"

namespace matgrad::gpu {

std::span<const Threshold> thresholds_of_blackwell() {
    return {};
}

}  // namespace matgrad::gpu
