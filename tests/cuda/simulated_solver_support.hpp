#pragma once
/// \file A cuSOLVER handle on the simulated GPU, with the buffers that its calls ask for.

#include <cusolverDn.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {

class TestSolver {
public:
    TestSolver() {
        EXPECT_EQ(cusolverDnCreate(&handle_), CUSOLVER_STATUS_SUCCESS);
        EXPECT_EQ(cusolverDnSetStream(handle_, stream_), CUSOLVER_STATUS_SUCCESS);
        EXPECT_EQ(cusolverDnCreateParams(&parameters_), CUSOLVER_STATUS_SUCCESS);
    }
    ~TestSolver() {
        EXPECT_EQ(cusolverDnDestroyParams(parameters_), CUSOLVER_STATUS_SUCCESS);
        EXPECT_EQ(cusolverDnDestroy(handle_), CUSOLVER_STATUS_SUCCESS);
    }
    TestSolver(const TestSolver&) = delete;
    TestSolver& operator=(const TestSolver&) = delete;
    operator cusolverDnHandle_t() const { return handle_; }  // NOLINT: as the calls take it
    [[nodiscard]] cusolverDnParams_t parameters() const { return parameters_; }
    [[nodiscard]] cudaStream_t stream() const { return stream_; }
    void wait() const { EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess); }

    /// With buffers of at least the size that is asked for, kept from call to call.
    cusolverStatus_t potrf(cublasFillMode_t uplo, std::int64_t n, cudaDataType type, void* a,
                           std::int64_t lda, cudaDataType compute, int* info) {
        std::size_t device_bytes = 0;
        std::size_t host_bytes = 0;
        const cusolverStatus_t status = cusolverDnXpotrf_bufferSize(
            handle_, parameters_, uplo, n, type, a, lda, compute, &device_bytes, &host_bytes);
        if (status == CUSOLVER_STATUS_SUCCESS) {
            make_buffers(device_bytes, host_bytes);
        }
        return cusolverDnXpotrf(handle_, parameters_, uplo, n, type, a, lda, compute,
                                device_ ? device_->data() : nullptr, device_bytes, host_.data(),
                                host_bytes, info);
    }
    cusolverStatus_t getrf(std::int64_t m, std::int64_t n, cudaDataType type, void* a,
                           std::int64_t lda, std::int64_t* pivots, cudaDataType compute,
                           int* info) {
        std::size_t device_bytes = 0;
        std::size_t host_bytes = 0;
        const cusolverStatus_t status = cusolverDnXgetrf_bufferSize(
            handle_, parameters_, m, n, type, a, lda, compute, &device_bytes, &host_bytes);
        if (status == CUSOLVER_STATUS_SUCCESS) {
            make_buffers(device_bytes, host_bytes);
        }
        return cusolverDnXgetrf(handle_, parameters_, m, n, type, a, lda, pivots, compute,
                                device_ ? device_->data() : nullptr, device_bytes, host_.data(),
                                host_bytes, info);
    }

private:
    void make_buffers(std::size_t device_bytes, std::size_t host_bytes) {
        if (device_bytes <= device_bytes_ && host_bytes <= host_.size()) {
            return;
        }
        wait();  // the last call may still use them
        device_bytes_ = device_bytes;
        device_ = std::make_unique<DeviceArray<unsigned char>>(device_bytes);
        host_.assign(host_bytes, 0);
    }

    TestStream stream_;
    cusolverDnHandle_t handle_ = nullptr;
    cusolverDnParams_t parameters_ = nullptr;
    std::unique_ptr<DeviceArray<unsigned char>> device_;
    std::size_t device_bytes_ = 0;
    std::vector<unsigned char> host_;
};

}  // namespace matgrad::simulated
