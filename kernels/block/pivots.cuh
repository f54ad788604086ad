#pragma once
/// \file Pivots of factorizations: which of them fail.

#include "matrix.cuh"
#include "team.cuh"

namespace matgrad::block {

/// Of a Cholesky factorization, squared or not.
template <typename T>
MATGRAD_DEVICE bool is_positive(T pivot) {
    return pivot > T(0) && pivot < infinity<T>();
}

/// The number, from 1, of the first entry on the diagonal of which `fails` is true; 0 if there is none.
///
/// Who      every thread of whole warps; each warp finds it for itself
/// Memory   reads the diagonal
template <typename M, typename Fails>
MATGRAD_DEVICE int first_failing(const M& m, const Fails& fails) {
    constexpr int kNone = M::kRows + 1;
    const int lane = thread_index() % kWarp;
    int first = kNone;
    MATGRAD_UNROLL
    for (int begin = 0; begin < M::kRows; begin += kWarp) {
        const int k = begin + lane;
        if (k < M::kRows && first == kNone && fails(m.get(k, k))) {
            first = k + 1;
        }
    }
    MATGRAD_UNROLL
    for (int distance = 1; distance < kWarp; distance *= 2) {
        const int other = from_lane(first, lane ^ distance);
        first = other < first ? other : first;
    }
    return first == kNone ? 0 : first;
}

/// Entry k of the diagonal, counted from 1. In a loop, because the array of a thread has no places that
/// depend on a number.
///
/// Who      any thread, after the sync that follows the factorization
template <typename M>
MATGRAD_DEVICE auto pivot_of(const M& m, int k) {
    if constexpr (M::kSpace == Space::block) {
        return m.get(k - 1, k - 1);
    } else {
        typename M::Type pivot = 0;
        MATGRAD_UNROLL
        for (int r = 0; r < M::kRows; ++r) {
            pivot = r == k - 1 ? m.get(r, r) : pivot;
        }
        return pivot;
    }
}

/// Of a Cholesky factorization whose pivot k failed, counted from 1: was it a finite number, made of
/// finite numbers? It was then not positive.
///
/// Who      any thread, after the sync that follows the factorization
template <typename M>
MATGRAD_DEVICE bool failed_on_finite(const M& m, int k) {
    bool finite = true;
    if constexpr (M::kSpace == Space::block) {
        for (int c = 0; c < k; ++c) {
            finite = finite && isfinite(m.get(k - 1, c));
        }
    } else {
        // Every entry is read, whatever k is: else the compiler reads at a place that depends on it.
        typename M::Type sum = 0;
        MATGRAD_UNROLL
        for (int r = 0; r < M::kRows; ++r) {
            typename M::Type of_row = 0;  // and stays so while entries are finite
            MATGRAD_UNROLL
            for (int c = 0; c < M::kRows; ++c) {
                of_row += c <= r ? m.get(r, c) * 0 : 0;
            }
            sum = r == k - 1 ? of_row : sum;
        }
        finite = sum == 0;
    }
    return finite;
}

}  // namespace matgrad::block
