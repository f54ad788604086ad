#pragma once
/// \file The few kernels that cuBLAS has no call for: a sum for each problem, one vector for all.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace matgrad::bench {

/// Device memory: entry i of problem p is data[p * stride + i * step].
template <typename T>
struct Entries {
    const T* data = nullptr;
    std::int64_t stride = 0;
    std::int64_t step = 1;
};

/// Sums of `count` terms for each of `batch` problems. Equal terms give equal bits.
template <typename T>
class Sums {
public:
    /// Into how many parts a problem's terms are cut, so that few problems keep all of a device busy.
    [[nodiscard]] static std::int64_t parts(std::int64_t batch, std::int64_t count,
                                            int multiprocessors);

    Sums() = default;
    /// `partial` has batch * parts entries; it is not used with one part.
    Sums(std::int64_t batch, std::int64_t count, std::int64_t parts, T* partial,
         cudaStream_t stream)
        : batch_(batch), count_(count), parts_(parts), partial_(partial), stream_(stream) {}

    /// out[p] = weight * (a . b)
    void products(T weight, const Entries<T>& a, const Entries<T>& b, T* out) const;
    /// out[p] = weight * (a . a)
    void squares(T weight, const Entries<T>& a, T* out) const;
    /// out[p] = weight * sum of log(a)
    void logs(T weight, const Entries<T>& a, T* out) const;

private:
    void run(int term, T weight, const Entries<T>& a, const Entries<T>& b, T* out) const;

    std::int64_t batch_ = 0, count_ = 0, parts_ = 1;
    T* partial_ = nullptr;
    cudaStream_t stream_ = nullptr;
};

/// to[p * count + i] = from[i] for p = 0 .. copies-1.
template <typename T>
void spread(const T* from, std::int64_t count, T* to, std::int64_t copies, cudaStream_t stream);

}  // namespace matgrad::bench
