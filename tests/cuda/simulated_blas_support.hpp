#pragma once
/// \file Batches of matrices on the simulated GPU, and what the stand-ins of its libraries are held to:
/// the definition of each operation, summed in long double.

#include <cublas_v2.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {

/// A handle with a stream and a workspace.
class TestBlas {
public:
    TestBlas() : workspace_(65536) {
        EXPECT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
        EXPECT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
        EXPECT_EQ(cublasSetWorkspace(handle_, workspace_.data(), 65536), CUBLAS_STATUS_SUCCESS);
    }
    ~TestBlas() { EXPECT_EQ(cublasDestroy(handle_), CUBLAS_STATUS_SUCCESS); }
    TestBlas(const TestBlas&) = delete;
    TestBlas& operator=(const TestBlas&) = delete;
    operator cublasHandle_t() const { return handle_; }  // NOLINT: as the calls take it
    [[nodiscard]] cudaStream_t stream() const { return stream_; }
    [[nodiscard]] const DeviceArray<unsigned char>& workspace() const { return workspace_; }
    void wait() const { EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess); }

private:
    TestStream stream_;
    DeviceArray<unsigned char> workspace_;
    cublasHandle_t handle_ = nullptr;
};

/// Exactly one complaint, which holds the text.
inline void expect_complaint(const std::string& text, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
    const testing::ScopedTrace trace(file, line, "the expected complaint");
    const std::vector<std::string> all = take_complaints();
    ASSERT_EQ(all.size(), 1u) << testing::PrintToString(all);
    EXPECT_NE(all[0].find(text), std::string::npos) << all[0];
}

/// How a batch lies in memory.
struct Layout {
    std::int64_t rows = 0, cols = 0;
    std::int64_t ld = 1;
    std::int64_t stride = 0;
    std::int64_t batch = 1;

    [[nodiscard]] std::int64_t entries() const {
        return rows == 0 || cols == 0 ? 0 : (cols - 1) * ld + rows;
    }
    /// `gap`: entries between one matrix and the next.
    static Layout of(std::int64_t rows, std::int64_t cols, std::int64_t batch, std::int64_t pad = 0,
                     std::int64_t gap = 0) {
        const std::int64_t ld = std::max<std::int64_t>(1, rows + pad);
        return {rows, cols, ld, ld * cols + gap, batch};
    }
    [[nodiscard]] Layout shared() const { return {rows, cols, ld, 0, batch}; }
    [[nodiscard]] Layout backwards() const { return {rows, cols, ld, -stride, batch}; }
};

/// Matrices on both sides. Everything between the entries is NaN and has to stay.
template <typename T>
class TestMatrices {
public:
    TestMatrices(const Layout& layout, unsigned seed)
        : layout_(layout),
          first_(layout.stride < 0 ? -layout.stride * (layout.batch - 1) : 0),
          host_(size(layout), std::numeric_limits<T>::quiet_NaN()),
          device_(host_.size()),
          pointers_(static_cast<std::size_t>(std::max<std::int64_t>(1, layout.batch))) {
        std::mt19937 random(seed);
        std::uniform_real_distribution<T> entry(-1, 1);
        for (std::int64_t p = 0; p < layout.batch; ++p) {
            for (std::int64_t j = 0; j < layout.cols; ++j) {
                for (std::int64_t i = 0; i < layout.rows; ++i) {
                    at(p, i, j) = entry(random);
                }
            }
        }
        upload();
        point();
    }

    [[nodiscard]] T& at(std::int64_t p, std::int64_t i, std::int64_t j) {
        return host_[static_cast<std::size_t>(first_ + p * layout_.stride + i + j * layout_.ld)];
    }
    /// op(matrix)(i, j)
    [[nodiscard]] long double op(bool transposed, std::int64_t p, std::int64_t i, std::int64_t j) {
        return transposed ? at(p, j, i) : at(p, i, j);
    }
    [[nodiscard]] const Layout& layout() const { return layout_; }
    [[nodiscard]] T* base() const { return device_.data() + first_; }
    [[nodiscard]] T** pointers() const { return pointers_.data(); }
    void upload() { device_.upload(host_); }
    /// What is on the device now, as matrices of their own.
    [[nodiscard]] TestMatrices fetch() const {
        TestMatrices copy(layout_, 0);
        copy.host_ = device_.download();
        return copy;
    }
    void fill(T value) {
        for (std::int64_t p = 0; p < layout_.batch; ++p) {
            for (std::int64_t j = 0; j < layout_.cols; ++j) {
                for (std::int64_t i = 0; i < layout_.rows; ++i) {
                    at(p, i, j) = value;
                }
            }
        }
        upload();
    }
    /// Nothing outside the entries for which `may_change` was changed, bit for bit.
    using Place = std::function<bool(std::int64_t i, std::int64_t j)>;
    void expect_only_changed(const TestMatrices& before, const Place& may_change) {
        std::vector<bool> free(host_.size(), false);
        for (std::int64_t p = 0; p < layout_.batch; ++p) {
            for (std::int64_t j = 0; j < layout_.cols; ++j) {
                for (std::int64_t i = 0; i < layout_.rows; ++i) {
                    const std::int64_t at = first_ + p * layout_.stride + i + j * layout_.ld;
                    free[static_cast<std::size_t>(at)] = may_change(i, j);
                }
            }
        }
        for (std::size_t at = 0; at < host_.size(); ++at) {
            if (!free[at]) {
                ASSERT_EQ(std::memcmp(&host_[at], &before.host_[at], sizeof(T)), 0)
                    << "entry " << at << " is no result, yet it changed";
            }
        }
    }

    TestMatrices(const TestMatrices& other)
        : layout_(other.layout_),
          first_(other.first_),
          host_(other.host_),
          device_(other.host_),
          pointers_(static_cast<std::size_t>(std::max<std::int64_t>(1, other.layout_.batch))) {
        point();
    }
    TestMatrices& operator=(const TestMatrices&) = delete;

private:
    void point() const {
        std::vector<T*> pointers;
        for (std::int64_t p = 0; p < layout_.batch; ++p) {
            pointers.push_back(base() + p * layout_.stride);
        }
        pointers_.upload(pointers);
    }
    static std::size_t size(const Layout& layout) {
        const std::int64_t across =
            layout.batch > 0 ? std::abs(layout.stride) * (layout.batch - 1) : 0;
        return static_cast<std::size_t>(
            std::max<std::int64_t>(1, across + layout.ld * layout.cols));
    }

    Layout layout_;
    std::int64_t first_;
    std::vector<T> host_;
    DeviceArray<T> device_;
    DeviceArray<T*> pointers_;
};

inline bool everywhere(std::int64_t, std::int64_t) {
    return true;
}

/// A sum in long double together with the sum of magnitudes, which bounds its error in T.
struct Sum {
    long double value = 0, magnitude = 0;
    int terms = 0;

    void add(long double term) {
        value += term;
        magnitude += std::abs(term);
        ++terms;
    }
    /// |computed - value| <= 2 (terms + 2) eps * magnitude: each term takes up to two products and
    /// the sum up to `terms` roundings, to first order, twice that for the rest.
    template <typename T>
    [[nodiscard]] bool is_near(T computed) const {
        const long double eps = std::numeric_limits<T>::epsilon();
        return std::abs(static_cast<long double>(computed) - value) <=
               2 * (terms + 2) * eps * magnitude;
    }
};

template <typename T>
constexpr cudaDataType kDataType = std::is_same_v<T, double> ? CUDA_R_64F : CUDA_R_32F;
template <typename T>
constexpr cublasComputeType_t kComputeType =
    std::is_same_v<T, double> ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F;

}  // namespace matgrad::simulated
