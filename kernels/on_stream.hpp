#pragma once
/// \file Runs a Thrust algorithm on a stream without waiting for it.
///
/// Compiled by nvcc, Thrust launches kernels on the stream. Compiled as plain C++ with Thrust's
/// sequential device system, as the simulated GPU does, the algorithm is a task of its stream.

#include <cuda_runtime_api.h>
#include <thrust/execution_policy.h>

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA

namespace matgrad::gpu {

template <typename Algorithm>
void on_stream(cudaStream_t stream, Algorithm algorithm) {
    algorithm(thrust::cuda::par_nosync.on(stream));
}

}  // namespace matgrad::gpu

#else

#include <functional>

namespace matgrad::gpu {

/// Of the simulated GPU: appends a task to the stream.
void simulated_task(cudaStream_t stream, std::function<void()> task);

template <typename Algorithm>
void on_stream(cudaStream_t stream, Algorithm algorithm) {
    simulated_task(stream, [algorithm] { algorithm(thrust::cpp::par); });
}

}  // namespace matgrad::gpu

#endif
