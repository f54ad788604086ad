#pragma once
/// \file Owners of what CUDA hands out, and calls that must succeed. One device: the current one.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace matgrad::probe {

/// "cudaMalloc: cudaErrorMemoryAllocation". Only the name of `call` is kept.
class CallFailed : public std::runtime_error {
public:
    CallFailed(const char* call, const std::string& code);
};

void must(cudaError_t code, const char* call);
void must(cublasStatus_t code, const char* call);
void must(cusolverStatus_t code, const char* call);

/// MATGRAD_PROBE(cudaMalloc(&data, size));
#define MATGRAD_PROBE(call) ::matgrad::probe::must((call), #call)

/// Empty if there is a device, else why there is none.
[[nodiscard]] std::string why_no_device();
/// Several processes may use the device at once.
[[nodiscard]] bool is_shared();
/// The driver keeps the device awake while a process has a context: children start sooner.
void hold_context();

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

/// A stream that does not wait for the default stream.
class Stream : public Owner<cudaStream_t, cudaStreamDestroy> {
public:
    Stream();
    void wait() const;
};

class Event : public Owner<cudaEvent_t, cudaEventDestroy> {
public:
    Event();
};

/// Device memory. Null for 0 bytes.
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::size_t bytes);
    [[nodiscard]] void* data() const { return memory_.get(); }
    template <typename T>
    [[nodiscard]] T* as() const {
        return static_cast<T*>(memory_.get());
    }
    [[nodiscard]] std::byte* at(std::size_t byte) const { return as<std::byte>() + byte; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// Waits for the copy alone: what wrote the memory must have ended.
    [[nodiscard]] std::vector<std::byte> download() const;

private:
    Owner<void*, cudaFree> memory_;
    std::size_t bytes_ = 0;
};

/// Enqueues it.
void copy(const Buffer& to, const Buffer& from, cudaStream_t stream);
void upload(const Buffer& to, const std::vector<std::byte>& bytes, cudaStream_t stream);

/// Free memory of the device.
[[nodiscard]] std::size_t free_bytes();

/// One handle of each library with the workspace that matgrad gives cuBLAS.
class Handles {
public:
    Handles();
    /// As matgrad does before each of its calls: stream, workspace, math mode.
    void bind(cudaStream_t stream, const Buffer& workspace) const;
    /// With the workspace of these handles.
    void bind(cudaStream_t stream) const { bind(stream, workspace_); }
    [[nodiscard]] cublasHandle_t blas() const { return blas_.get(); }
    [[nodiscard]] cusolverDnHandle_t solver() const { return solver_.get(); }
    [[nodiscard]] cusolverDnParams_t parameters() const { return parameters_.get(); }
    static constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

private:
    Owner<cublasHandle_t, cublasDestroy> blas_;
    Owner<cusolverDnHandle_t, cusolverDnDestroy> solver_;
    Owner<cusolverDnParams_t, cusolverDnDestroyParams> parameters_;
    Buffer workspace_;
};

}  // namespace matgrad::probe
