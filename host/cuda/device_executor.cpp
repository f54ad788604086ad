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

}  // namespace matgrad::gpu
