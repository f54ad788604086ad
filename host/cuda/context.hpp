#pragma once
/// \file One device of this process: what it can do, and the library handles it lends to calls.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/owners.hpp"
#include "matgrad/device.hpp"

namespace matgrad::gpu {

/// Handles of one call at a time.
struct Handles {
    BlasHandle blas;
    SolverHandle solver;
    SolverParameters solver_parameters;
};

class Context;

/// Handles on loan, bound to the stream of the call. They go back when it ends.
///
/// Host-side state alone is on loan: what the libraries need on the device is in the workspace of
/// each call, so a handle may serve another stream while work it enqueued is still running.
class Lease {
public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    [[nodiscard]] cublasHandle_t blas() const noexcept { return handles_->blas.get(); }
    [[nodiscard]] cusolverDnHandle_t solver() const noexcept { return handles_->solver.get(); }
    [[nodiscard]] cusolverDnParams_t solver_parameters() const noexcept {
        return handles_->solver_parameters.get();
    }

private:
    friend class Context;
    Lease(const Context& context, Handles* handles) : context_(&context), handles_(handles) {}
    const Context* context_;
    Handles* handles_;
};

class Context {
public:
    /// Workspace that cuBLAS is given on each call: what it asks for on Hopper.
    static constexpr std::size_t kBlasWorkspaceBytes = std::size_t{32} << 20;

    /// The context of a device, made at first use. Errors: OperandError, MachineError.
    [[nodiscard]] static std::shared_ptr<const Context> of(int device);

    explicit Context(const DeviceInfo& info);

    [[nodiscard]] const DeviceInfo& info() const noexcept { return info_; }
    /// Waits while all handles are out, for as long as an enqueue takes; never for the device.
    /// `workspace` has kBlasWorkspaceBytes, 256-byte aligned. The math mode is the default one: TF32 is
    /// asked for call by call, since the mode would let it into triangular solves too.
    [[nodiscard]] Lease lease(cudaStream_t stream, void* workspace) const;

private:
    friend class Lease;
    void give_back(Handles* handles) const noexcept;

    DeviceInfo info_;
    mutable std::mutex mutex_;
    mutable std::condition_variable returned_;
    std::vector<std::unique_ptr<Handles>> handles_;
    mutable std::vector<Handles*> free_;
};

/// At least 1. Errors: MachineError that says why there is none.
[[nodiscard]] int count_devices();
[[nodiscard]] DeviceInfo describe_device(int device);

}  // namespace matgrad::gpu
