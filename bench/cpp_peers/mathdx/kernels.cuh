#pragma once
/// \file The kernels of the peer: a block computes a problem, which stays in shared memory. A `Peer` says
/// the type and the sizes:
///
///     struct Peer {
///         using Scalar = float;
///         static constexpr PeerForm kForm = ...;
///         static constexpr int kM = 64, kN = 16, kP = 1, kThreads = 64, kArchitecture = 900;
///     };
#include "device.cuh"
#include "layout.hpp"
#include "product.cuh"

namespace matgrad::block {

/// Sums of the block, given to its first thread.
template <typename Peer, typename T>
MATGRAD_DEVICE T sum_of_block(T mine) {
    for (int half = kWarp / 2; half > 0; half /= 2) {
        mine += from_neighbour(mine, half);
    }
    if constexpr (Peer::kThreads > kWarp) {
        MATGRAD_SHARED(T, of_warps, Peer::kThreads / kWarp);
        if (thread_index() % kWarp == 0) {
            of_warps[thread_index() / kWarp] = mine;
        }
        barrier();
        if (thread_index() == 0) {
            for (int warp = 1; warp < Peer::kThreads / kWarp; ++warp) {
                mine += of_warps[warp];
            }
        }
    }
    return mine;
}

/// The lower triangle of W in shared memory, W = L L', becomes inv(L), its upper one 0. Thread i of a warp
/// holds row i of L and then column i of inv(L). kSize is at most 32. Returns log(det(W)) to the first
/// thread; the first warp calls it.
template <int kSize, int kLd, typename T>
MATGRAD_PEER_CALLED T invert_factor_in_warp(T* w) {
    const int lane = thread_index() % kWarp;
    T row[kSize];
    MATGRAD_UNROLL
    for (int j = 0; j < kSize; ++j) {
        row[j] = j <= lane && lane < kSize ? w[lane * kLd + j] : T(0);
    }
    T inverse_roots[kSize];
    T my_pivot = T(1);
    MATGRAD_UNROLL
    for (int k = 0; k < kSize; ++k) {
        const T pivot = from_lane(row[k], k);
        if (lane == k) {
            my_pivot = pivot;
        }
        inverse_roots[k] = T(1) / sqrt(pivot);
        row[k] *= inverse_roots[k];
        MATGRAD_UNROLL
        for (int j = k + 1; j < kSize; ++j) {
            row[j] -= row[k] * from_lane(row[k], j);
        }
    }
    T column[kSize];
    MATGRAD_UNROLL
    for (int i = 0; i < kSize; ++i) {
        T sum = lane == i ? T(1) : T(0);
        MATGRAD_UNROLL
        for (int k = 0; k < i; ++k) {
            sum -= from_lane(row[k], i) * column[k];
        }
        column[i] = sum * inverse_roots[i];
    }
    if (lane < kSize) {
        MATGRAD_UNROLL
        for (int i = 0; i < kSize; ++i) {
            w[i * kLd + lane] = i < lane ? T(0) : column[i];
        }
    }
    T log_det = log(my_pivot);
    for (int half = kWarp / 2; half > 0; half /= 2) {
        log_det += from_neighbour(log_det, half);
    }
    return log_det;
}

/// How many of so many rows a half takes: the first has 32, 64, 128, ...
constexpr int first_half(int rows) {
    int half = kWarp;
    while (2 * half < rows) {
        half *= 2;
    }
    return half;
}

/// W, complete in shared memory, becomes inv(L), W = L L', by halves. All threads call it; inv(L) is
/// complete when they return. Returns log(det(W)) to the first thread.
template <typename Peer, int kSize, int kLd, typename T>
MATGRAD_PEER_CALLED T invert_factor(T* w) {
    if constexpr (kSize <= kWarp) {
        T log_det = T(0);
        if (thread_index() < kWarp) {
            log_det = invert_factor_in_warp<kSize, kLd>(w);
        }
        barrier();
        return log_det;
    } else {
        constexpr int kFirst = first_half(kSize);
        constexpr int kSecond = kSize - kFirst;
        using Plain = Rows<kLd>;
        using Transposed = Rows<kLd, true>;
        T* const below = w + kFirst * kLd;
        T* const second = below + kFirst;
        T log_det = invert_factor<Peer, kFirst, kLd>(w);
        {  // L21 = W21 inv(L11)'
            const auto l =
                product<Peer, Plain, Transposed>(Sizes<kSecond, kFirst, kFirst>{}, below, w);
            barrier();
            l.template store_shared<kLd>(below);
            barrier();
        }
        product<Peer, Plain, Transposed>(Sizes<kSecond, kSecond, kFirst>{}, below, below)
            .template subtract_from<kLd>(second);
        barrier();
        log_det += invert_factor<Peer, kSecond, kLd>(second);
        // -inv(L22) L21 inv(L11)
        {
            const auto l = product<Peer, Plain, Plain>(Sizes<kSecond, kFirst, kFirst>{}, below, w);
            barrier();
            l.template store_shared<kLd>(below);
            barrier();
        }
        auto inverse =
            product<Peer, Plain, Plain>(Sizes<kSecond, kFirst, kSecond>{}, second, below);
        inverse.scale(T(-1));
        barrier();
        inverse.template store_shared<kLd>(below);
        for (int e = thread_index(); e < kFirst * kSecond; e += Peer::kThreads) {
            w[e / kSecond * kLd + kFirst + e % kSecond] = T(0);
        }
        barrier();
        return log_det;
    }
}

template <typename Peer>
constexpr PeerShape shape_of() {
    return {Peer::kForm, Peer::kM, Peer::kN, Peer::kP,
            static_cast<int>(sizeof(typename Peer::Scalar))};
}

/// Value log(det(X'X)), gradient 2 X inv(X'X).
template <typename Peer>
MATGRAD_DEVICE void log_det_gram(const PeerArgs& args, typename Peer::Scalar* x) {
    using T = typename Peer::Scalar;
    constexpr int kM = Peer::kM, kN = Peer::kN;
    constexpr int kLd = leading_dimension(kN, sizeof(T));
    using Plain = Rows<kLd>;
    using Transposed = Rows<kLd, true>;
    const long long problem = block_index();
    T* const w = x + first_entries(shape_of<Peer>());
    fetch<Peer, kM, kN, kLd>(static_cast<const T*>(args.x) + problem * args.x_stride, x);
    wait_for_copies();
    product<Peer, Transposed, Plain>(Sizes<kN, kN, kM>{}, x, x).template store_shared<kLd>(w);
    barrier();
    const T log_det = invert_factor<Peer, kN, kLd>(w);
    if (args.value != nullptr && thread_index() == 0) {
        store(static_cast<T*>(args.value) + problem, log_det);
    }
    if (args.gradient != nullptr) {
        auto inverse = product<Peer, Transposed, Plain>(Sizes<kN, kN, kN>{}, w, w);
        inverse.scale(T(2));
        barrier();
        inverse.template store_shared<kLd>(w);
        barrier();
        product<Peer, Plain, Plain>(Sizes<kM, kN, kN>{}, x, w)
            .store_global(static_cast<T*>(args.gradient) + problem * kM * kN);
    }
}

/// Value 0.5*norm2(X*A')^2, gradient G = X (A'A); the value is half the sum of the entries of X times those
/// of G.
template <typename Peer>
MATGRAD_DEVICE void frobenius_by_gram(const PeerArgs& args, typename Peer::Scalar* x) {
    using T = typename Peer::Scalar;
    constexpr int kM = Peer::kM, kN = Peer::kN, kP = Peer::kP;
    constexpr int kLd = leading_dimension(kN, sizeof(T));
    using Plain = Rows<kLd>;
    using Transposed = Rows<kLd, true>;
    const long long problem = block_index();
    T* const a = x + first_entries(shape_of<Peer>());
    fetch<Peer, kM, kN, kLd>(static_cast<const T*>(args.x) + problem * args.x_stride, x);
    fetch<Peer, kP, kN, kLd>(static_cast<const T*>(args.a) + problem * args.a_stride, a);
    wait_for_copies();
    {
        const auto gram = product<Peer, Transposed, Plain>(Sizes<kN, kN, kP>{}, a, a);
        barrier();
        gram.template store_shared<kLd>(a);
        barrier();
    }
    const auto gradient = product<Peer, Plain, Plain>(Sizes<kM, kN, kN>{}, x, a);
    if (args.gradient != nullptr) {
        gradient.store_global(static_cast<T*>(args.gradient) + problem * kM * kN);
    }
    if (args.value != nullptr) {
        const T sum = sum_of_block<Peer>(gradient.template dot<kLd>(x));
        if (thread_index() == 0) {
            store(static_cast<T*>(args.value) + problem, T(0.5) * sum);
        }
    }
}

/// The same by Y = X A', gradient Y A.
template <typename Peer>
MATGRAD_DEVICE void frobenius_by_products(const PeerArgs& args, typename Peer::Scalar* x) {
    using T = typename Peer::Scalar;
    constexpr int kM = Peer::kM, kN = Peer::kN, kP = Peer::kP;
    constexpr int kLd = leading_dimension(kN, sizeof(T));
    constexpr int kLdOfY = leading_dimension(kP, sizeof(T));
    const long long problem = block_index();
    T* const a = x + first_entries(shape_of<Peer>());
    fetch<Peer, kM, kN, kLd>(static_cast<const T*>(args.x) + problem * args.x_stride, x);
    fetch<Peer, kP, kN, kLd>(static_cast<const T*>(args.a) + problem * args.a_stride, a);
    wait_for_copies();
    const auto y = product<Peer, Rows<kLd>, Rows<kLd, true>>(Sizes<kM, kP, kN>{}, x, a);
    if (args.value != nullptr) {
        const T sum = sum_of_block<Peer>(y.sum_of_squares());
        if (thread_index() == 0) {
            store(static_cast<T*>(args.value) + problem, T(0.5) * sum);
        }
    }
    if (args.gradient != nullptr) {
        barrier();
        y.template store_shared<kLdOfY>(x);
        barrier();
        product<Peer, Rows<kLdOfY>, Rows<kLd>>(Sizes<kM, kN, kP>{}, x, a)
            .store_global(static_cast<T*>(args.gradient) + problem * kM * kN);
    }
}

template <typename Peer>
MATGRAD_DEVICE void run_peer(const PeerArgs& args) {
    using T = typename Peer::Scalar;
    static_assert(Peer::kThreads == block_threads(shape_of<Peer>()));
    MATGRAD_BLOCK_MEMORY(bytes, shared_entries(shape_of<Peer>()) * sizeof(T));
    T* const memory = reinterpret_cast<T*>(bytes);
    if constexpr (Peer::kForm == PeerForm::log_det_gram) {
        log_det_gram<Peer>(args, memory);
    } else if constexpr (Peer::kForm == PeerForm::frobenius_by_gram) {
        frobenius_by_gram<Peer>(args, memory);
    } else {
        frobenius_by_products<Peer>(args, memory);
    }
}

}  // namespace matgrad::block
