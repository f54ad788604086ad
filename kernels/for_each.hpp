#pragma once
/// \file Thrust algorithms that only enqueue. For files that nvcc compiles, and the simulated GPU as C++.

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system_error.h>

#include <cstdint>

#include "cuda/checked.hpp"
#include "failure_kind.cuh"
#include "on_stream.hpp"

namespace matgrad::gpu {

/// Runs a Thrust algorithm; `call` names it where it fails.
template <typename Algorithm>
void run(cudaStream_t stream, const char* call, Algorithm algorithm) {
    try {
        on_stream(stream, algorithm);
    } catch (const thrust::system_error& error) {
        check(static_cast<cudaError_t>(error.code().value()), call);
    }
    check(cudaGetLastError(), call);
}

/// Runs function(i) for i = 0 .. count-1.
template <typename Function>
void run_for_each(cudaStream_t stream, std::int64_t count, Function function) {
    if (count > 0) {
        run(stream, "thrust::for_each_n", [count, function](auto policy) {
            thrust::for_each_n(policy, thrust::counting_iterator<std::int64_t>(0), count, function);
        });
    }
}

}  // namespace matgrad::gpu
