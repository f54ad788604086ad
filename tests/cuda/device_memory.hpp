#pragma once
/// \file Device memory and streams of the tests' own, by plain calls of the runtime: stand-ins or the
/// real ones.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace matgrad::test {

/// A call of the tests' own that has to succeed.
inline void must(cudaError_t code, const char* call) {
    if (code != cudaSuccess) {
        throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(code));
    }
}

#define MATGRAD_MUST(call) ::matgrad::test::must((call), #call)

/// Owns device memory of the current device.
class DeviceBuffer {
public:
    explicit DeviceBuffer(std::size_t bytes) : bytes_(bytes) {
        void* data = nullptr;
        MATGRAD_MUST(cudaMalloc(&data, bytes > 0 ? bytes : 1));
        data_ = static_cast<std::byte*>(data);
    }
    explicit DeviceBuffer(std::span<const std::byte> content) : DeviceBuffer(content.size()) {
        upload(content);
    }
    DeviceBuffer(DeviceBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
    DeviceBuffer& operator=(DeviceBuffer&&) = delete;
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    ~DeviceBuffer() {
        if (data_ != nullptr) {
            (void)cudaFree(data_);
        }
    }

    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return bytes_; }
    void upload(std::span<const std::byte> content) {
        MATGRAD_MUST(cudaMemcpy(data_, content.data(), content.size(), cudaMemcpyHostToDevice));
        // From pageable memory it may return while the last piece is on its way, and streams that do
        // not wait for the default one would read too early.
        MATGRAD_MUST(cudaDeviceSynchronize());
    }
    void download(std::span<std::byte> content) const {
        MATGRAD_MUST(cudaMemcpy(content.data(), data_, content.size(), cudaMemcpyDeviceToHost));
    }
    [[nodiscard]] std::vector<std::byte> content() const {
        std::vector<std::byte> result(bytes_);
        download(result);
        return result;
    }
    /// 0xff everywhere: NaN as a number of either type.
    void fill_with_nan(cudaStream_t stream) {
        MATGRAD_MUST(cudaMemsetAsync(data_, 0xff, bytes_, stream));
    }

private:
    std::byte* data_ = nullptr;
    std::size_t bytes_;
};

/// A stream that does not wait for the default stream.
class TestStream {
public:
    TestStream() { MATGRAD_MUST(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
    TestStream(const TestStream&) = delete;
    TestStream& operator=(const TestStream&) = delete;
    ~TestStream() { (void)cudaStreamDestroy(stream_); }
    [[nodiscard]] cudaStream_t get() const { return stream_; }
    void wait() const { MATGRAD_MUST(cudaStreamSynchronize(stream_)); }

private:
    cudaStream_t stream_ = nullptr;
};

}  // namespace matgrad::test
