#include "cuda/device_executor.hpp"

#include "cuda/host_buffers.hpp"

namespace matgrad::gpu {

DeviceExecutor::DeviceExecutor() = default;
DeviceExecutor::~DeviceExecutor() = default;

std::unique_ptr<HostBuffers> DeviceExecutor::take_buffers() const {
    const std::lock_guard lock(mutex_);
    return std::move(buffers_);
}

void DeviceExecutor::keep_buffers(std::unique_ptr<HostBuffers> buffers) const {
    const std::lock_guard lock(mutex_);
    buffers_.swap(buffers);
}

void DeviceExecutor::release() const noexcept {
    try {
        const CurrentDevice current(device());
        (void)take_buffers();
    } catch (...) {  // the device is lost, and with it the memory
    }
}

}  // namespace matgrad::gpu
