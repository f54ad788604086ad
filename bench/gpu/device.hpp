#pragma once
/// \file Device memory, a stream and its clock, and what the device reaches at most.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace matgrad::bench {

inline void must(cudaError_t code, const char* call) {
    if (code != cudaSuccess) {
        throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(code));
    }
}
#define MATGRAD_MUST(call) ::matgrad::bench::must((call), #call)

class DeviceBuffer {
public:
    explicit DeviceBuffer(std::size_t bytes) {
        MATGRAD_MUST(cudaMalloc(&data_, bytes > 0 ? bytes : 1));
    }
    DeviceBuffer(DeviceBuffer&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
    DeviceBuffer& operator=(DeviceBuffer&&) = delete;
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    ~DeviceBuffer() { (void)cudaFree(data_); }
    [[nodiscard]] void* data() const { return data_; }

private:
    void* data_ = nullptr;
};

struct Times {
    double median_us = 0, least_us = 0, most_us = 0;  ///< on the device, by events
    double enqueue_us = 0;  ///< median on the host, until the call returns
};

/// A stream and two events that time what is enqueued on it.
class Clock {
public:
    Clock();
    ~Clock();
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    [[nodiscard]] cudaStream_t stream() const { return stream_; }
    void wait() const { MATGRAD_MUST(cudaStreamSynchronize(stream_)); }
    /// `work(i)` enqueues the i-th run. Those of the first kWarmUp seconds are not counted: the clock of
    /// a device that had nothing to do is low.
    [[nodiscard]] Times measure(int repeats, const std::function<void(int)>& work);
    static constexpr double kWarmUp = 0.1;

private:
    cudaStream_t stream_ = nullptr;
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

/// What the device reaches: measured, not taken from a data sheet.
struct Rates {
    double copy_bytes = 0;        ///< read and written, per second
    double float_operations = 0;  ///< of a large square product, per second
    double double_operations = 0;
};
[[nodiscard]] Rates measure_rates(Clock& clock);

}  // namespace matgrad::bench
