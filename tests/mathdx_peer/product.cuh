#pragma once
/// \file The twin of bench/cpp_peers/mathdx/product.cuh for the simulated GPU: the same names, without
/// cuBLASDx. Products are sums in the order of their terms; entry e is the business of thread e modulo the
/// threads of the block.
#include "device.cuh"

namespace matgrad::block {

#define MATGRAD_PEER_CALLED inline

template <int kLeading, bool kIsTransposed = false>
struct Rows {
    static constexpr int kLd = kLeading;
    static constexpr bool kTransposed = kIsTransposed;
};

template <typename Peer, int kRows, int kCols, int kLd>
MATGRAD_DEVICE void fetch(const typename Peer::Scalar* from, typename Peer::Scalar* to) {
    for (int e = thread_index(); e < kRows * kCols; e += Peer::kThreads) {
        to[e / kCols * kLd + e % kCols] = load(from + e);
    }
}

MATGRAD_DEVICE void wait_for_copies() {
    barrier();
}

template <int kRows, int kCols, int kInner>
struct Sizes {};

template <typename T, int kThreads, int kRows, int kCols>
struct Product {
    static constexpr int kEach = (kRows * kCols + kThreads - 1) / kThreads;
    T entries[kEach];

    template <int kLd>
    MATGRAD_DEVICE void store_shared(T* to) const {
        for_each([&](int i, int row, int col) { to[row * kLd + col] = entries[i]; });
    }
    MATGRAD_DEVICE void store_global(T* to) const {
        for_each([&](int i, int row, int col) { store(to + row * kCols + col, entries[i]); });
    }
    template <int kLd>
    MATGRAD_DEVICE void subtract_from(T* from) const {
        for_each([&](int i, int row, int col) { from[row * kLd + col] -= entries[i]; });
    }
    MATGRAD_DEVICE void scale(T by) {
        for_each([&](int i, int, int) { entries[i] *= by; });
    }
    template <int kLd>
    MATGRAD_DEVICE T dot(T* with) const {
        T sum = T(0);
        for_each([&](int i, int row, int col) { sum += entries[i] * with[row * kLd + col]; });
        return sum;
    }
    MATGRAD_DEVICE T sum_of_squares() const {
        T sum = T(0);
        for_each([&](int i, int, int) { sum += entries[i] * entries[i]; });
        return sum;
    }
    template <typename Function>
    MATGRAD_DEVICE void for_each(Function function) const {
        for (int i = 0; i < kEach; ++i) {
            const int e = i * kThreads + thread_index();
            if (e < kRows * kCols) {
                function(i, e / kCols, e % kCols);
            }
        }
    }
};

template <typename Peer, typename A, typename B, int kRows, int kCols, int kInner>
MATGRAD_DEVICE auto product(Sizes<kRows, kCols, kInner>, typename Peer::Scalar* a,
                            typename Peer::Scalar* b) {
    using T = typename Peer::Scalar;
    Product<T, Peer::kThreads, kRows, kCols> result;
    result.for_each([&](int i, int row, int col) {
        T sum = T(0);
        for (int k = 0; k < kInner; ++k) {
            sum += a[A::kTransposed ? k * A::kLd + row : row * A::kLd + k] *
                   b[B::kTransposed ? col * B::kLd + k : k * B::kLd + col];
        }
        result.entries[i] = sum;
    });
    return result;
}

}  // namespace matgrad::block
