#pragma once
/// \file A Program made ready for one device: kernels compiled, workspace known.
///
/// Immutable; may be used from several threads and streams, each call with its own workspace.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "executor/executor.hpp"

namespace matgrad::gpu {

struct HostBuffers;

class DeviceExecutor {
public:
    DeviceExecutor();
    DeviceExecutor(const DeviceExecutor&) = delete;
    DeviceExecutor& operator=(const DeviceExecutor&) = delete;
    virtual ~DeviceExecutor();

    [[nodiscard]] virtual const Program& program() const noexcept = 0;
    [[nodiscard]] virtual int device() const noexcept = 0;
    /// For any batch: longer ones are worked off in slices.
    [[nodiscard]] virtual std::size_t workspace_bytes() const noexcept = 0;
    /// Lines for --explain.
    [[nodiscard]] virtual std::string explain() const = 0;
    /// As Executor::enqueue.
    virtual void enqueue(const DeviceCall& call) const = 0;

    /// What one batch in host memory leaves for the next. It goes with the executor.
    [[nodiscard]] std::unique_ptr<HostBuffers> take_buffers() const;
    void keep_buffers(std::unique_ptr<HostBuffers> buffers) const;
    /// Frees what was left.
    void release() const noexcept;

private:
    mutable std::mutex mutex_;
    mutable std::unique_ptr<HostBuffers> buffers_;
};

}  // namespace matgrad::gpu
