#pragma once
/// \file One device of this process: its properties, and its handles of the libraries.

#include <memory>

#include "cuda/handles.hpp"
#include "matgrad/device.hpp"

namespace matgrad::gpu {

class Context {
public:
    /// The context of a device, made at first use. Errors: OperandError, MachineError.
    [[nodiscard]] static std::shared_ptr<const Context> of(int device);

    explicit Context(const DeviceInfo& info) : info_(info) {}

    [[nodiscard]] const DeviceInfo& info() const noexcept { return info_; }
    [[nodiscard]] HandlePools& handles() const noexcept { return handles_; }
    /// Buffers of a 64-bit factorization of order n, as cuSOLVER asks for them. The device is current.
    struct SolverBuffer {
        std::int64_t device = 0, host = 0;
    };
    [[nodiscard]] SolverBuffer cholesky_buffer(std::int64_t n, cudaDataType type) const;
    [[nodiscard]] SolverBuffer lu_buffer(std::int64_t n, cudaDataType type) const;

private:
    DeviceInfo info_;
    mutable HandlePools handles_;
};

/// At least 1. Errors: MachineError that says why there is none.
[[nodiscard]] int count_devices();
[[nodiscard]] DeviceInfo describe_device(int device);

}  // namespace matgrad::gpu
