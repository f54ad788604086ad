#pragma once
/// \file The operands of one problem, for peers that take one after the other. Compiled into each peer: nothing
/// here has external linkage.

#include <cstdint>

#include "task.hpp"

namespace matgrad::bench {

template <typename T>
static const T* at(const PeerOperand& operand, std::int64_t problem) {
    return static_cast<const T*>(operand.data) + problem * operand.stride;
}

template <typename T>
static T dot(const T* a, const T* b, std::int64_t count) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

}  // namespace matgrad::bench
