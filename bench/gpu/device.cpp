#include "device.hpp"

#include <cublas_v2.h>

#include <algorithm>
#include <chrono>

namespace matgrad::bench {
namespace {

double median(std::vector<double> numbers) {
    const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
    std::nth_element(numbers.begin(), middle, numbers.end());
    return *middle;
}

void must(cublasStatus_t code, const char* call) {
    if (code != CUBLAS_STATUS_SUCCESS) {
        throw std::runtime_error(std::string(call) + ": " + cublasGetStatusString(code));
    }
}

class Blas {
public:
    explicit Blas(cudaStream_t stream) {
        must(cublasCreate(&handle_), "cublasCreate");
        must(cublasSetStream(handle_, stream), "cublasSetStream");
    }
    ~Blas() { (void)cublasDestroy(handle_); }
    Blas(const Blas&) = delete;
    Blas& operator=(const Blas&) = delete;
    [[nodiscard]] cublasHandle_t get() const { return handle_; }

private:
    cublasHandle_t handle_ = nullptr;
};

void product(cublasHandle_t blas, int n, const float* a, const float* b, float* c) {
    const float one = 1;
    const float zero = 0;
    must(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, a, n, b, n, &zero, c, n),
         "cublasSgemm");
}

void product(cublasHandle_t blas, int n, const double* a, const double* b, double* c) {
    const double one = 1;
    const double zero = 0;
    must(cublasDgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, a, n, b, n, &zero, c, n),
         "cublasDgemm");
}

/// Numbers that are not all alike: products of zeros take less power, and run faster, than real work.
template <typename T>
void fill(const DeviceBuffer& buffer, std::size_t count) {
    std::vector<T> numbers(count);
    std::uint32_t state = 1;
    for (T& number : numbers) {
        state = state * 1664525U + 1013904223U;
        number = static_cast<T>(state >> 8) / static_cast<T>(1 << 24) - T(0.5);
    }
    MATGRAD_MUST(
        cudaMemcpy(buffer.data(), numbers.data(), count * sizeof(T), cudaMemcpyHostToDevice));
    MATGRAD_MUST(cudaDeviceSynchronize());  // the copy may outlast its call
}

template <typename T>
double product_rate(Clock& clock, int n) {
    const std::size_t count = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    const DeviceBuffer a(count * sizeof(T));
    const DeviceBuffer b(count * sizeof(T));
    const DeviceBuffer c(count * sizeof(T));
    fill<T>(a, count);
    fill<T>(b, count);
    const Blas blas(clock.stream());
    const Times times = clock.measure(7, [&](int) {
        product(blas.get(), n, static_cast<const T*>(a.data()), static_cast<const T*>(b.data()),
                static_cast<T*>(c.data()));
    });
    const double size = n;
    return 2 * size * size * size / (times.median_us * 1e-6);
}

double copy_rate(Clock& clock) {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    MATGRAD_MUST(cudaMemGetInfo(&free_bytes, &total_bytes));
    const std::size_t bytes = std::min(std::size_t{1} << 30, free_bytes / 8);
    const DeviceBuffer from(bytes);
    const DeviceBuffer to(bytes);
    MATGRAD_MUST(cudaMemsetAsync(from.data(), 1, bytes, clock.stream()));
    const Times times = clock.measure(11, [&](int) {
        MATGRAD_MUST(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice,
                                     clock.stream()));
    });
    return 2 * static_cast<double>(bytes) / (times.median_us * 1e-6);
}

}  // namespace

Clock::Clock() {
    MATGRAD_MUST(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    MATGRAD_MUST(cudaEventCreateWithFlags(&begin_, cudaEventDefault));
    MATGRAD_MUST(cudaEventCreateWithFlags(&end_, cudaEventDefault));
}

Clock::~Clock() {
    (void)cudaEventDestroy(end_);
    (void)cudaEventDestroy(begin_);
    (void)cudaStreamDestroy(stream_);
}

Times Clock::measure(int repeats, const std::function<void(int)>& work) {
    int next = 0;
    const auto start = std::chrono::steady_clock::now();
    do {
        work(next++);
        wait();
    } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
             kWarmUp);
    std::vector<double> on_device;
    std::vector<double> on_host;
    for (int i = 0; i < repeats; ++i) {
        MATGRAD_MUST(cudaEventRecord(begin_, stream_));
        const auto begin = std::chrono::steady_clock::now();
        work(next + i);
        const auto end = std::chrono::steady_clock::now();
        MATGRAD_MUST(cudaEventRecord(end_, stream_));
        MATGRAD_MUST(cudaEventSynchronize(end_));
        float milliseconds = 0;
        MATGRAD_MUST(cudaEventElapsedTime(&milliseconds, begin_, end_));
        on_device.push_back(1e3 * static_cast<double>(milliseconds));
        on_host.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
    }
    const auto [least, most] = std::minmax_element(on_device.begin(), on_device.end());
    return {median(on_device), *least, *most, median(on_host)};
}

Rates measure_rates(Clock& clock) {
    return {copy_rate(clock), product_rate<float>(clock, 8192), product_rate<double>(clock, 4096)};
}

}  // namespace matgrad::bench
