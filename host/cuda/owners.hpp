#pragma once
/// \file Owners of what CUDA hands out: move-only, construction throws, destruction never does.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "cuda/checked.hpp"

namespace matgrad::gpu {

/// Makes a device current for the calling thread while it lives.
class CurrentDevice {
public:
    explicit CurrentDevice(int device) {
        MATGRAD_CUDA(cudaGetDevice(&before_));
        if (before_ != device) {
            MATGRAD_CUDA(cudaSetDevice(device));
            changed_ = true;
        }
    }
    ~CurrentDevice() {
        if (changed_) {
            (void)cudaSetDevice(before_);
        }
    }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

private:
    int before_ = 0;
    bool changed_ = false;
};

/// A handle that `Release` gives back.
template <typename Handle, auto Release>
class Owner {
public:
    Owner() = default;
    explicit Owner(Handle handle) : handle_(handle) {}
    Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
    Owner& operator=(Owner&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() {
        if (handle_ != Handle{}) {
            (void)Release(handle_);
        }
    }
    [[nodiscard]] Handle get() const noexcept { return handle_; }

private:
    Handle handle_{};
};

using Stream = Owner<cudaStream_t, cudaStreamDestroy>;
using Event = Owner<cudaEvent_t, cudaEventDestroy>;
using Graph = Owner<cudaGraph_t, cudaGraphDestroy>;
using GraphExecutable = Owner<cudaGraphExec_t, cudaGraphExecDestroy>;
using Library = Owner<cudaLibrary_t, cudaLibraryUnload>;
using BlasHandle = Owner<cublasHandle_t, cublasDestroy>;
using SolverHandle = Owner<cusolverDnHandle_t, cusolverDnDestroy>;
using SolverParameters = Owner<cusolverDnParams_t, cusolverDnDestroyParams>;

/// A stream that does not wait for the default stream.
[[nodiscard]] inline Stream make_stream() {
    cudaStream_t stream = nullptr;
    MATGRAD_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return Stream(stream);
}

[[nodiscard]] inline Event make_event(unsigned flags = cudaEventDisableTiming) {
    cudaEvent_t event = nullptr;
    MATGRAD_CUDA(cudaEventCreateWithFlags(&event, flags));
    return Event(event);
}

namespace detail {
inline cudaError_t free_device(std::byte* data) {
    return cudaFree(data);
}
inline cudaError_t free_pinned(std::byte* data) {
    return cudaFreeHost(data);
}
}  // namespace detail

using DeviceMemory = Owner<std::byte*, detail::free_device>;
using PinnedMemory = Owner<std::byte*, detail::free_pinned>;

/// Null for 0 bytes.
[[nodiscard]] inline DeviceMemory allocate_device(std::size_t bytes) {
    void* data = nullptr;
    if (bytes > 0) {
        MATGRAD_CUDA(cudaMalloc(&data, bytes));
    }
    return DeviceMemory(static_cast<std::byte*>(data));
}

[[nodiscard]] inline PinnedMemory allocate_pinned(std::size_t bytes) {
    void* data = nullptr;
    if (bytes > 0) {
        MATGRAD_CUDA(cudaHostAlloc(&data, bytes, cudaHostAllocDefault));
    }
    return PinnedMemory(static_cast<std::byte*>(data));
}

}  // namespace matgrad::gpu
