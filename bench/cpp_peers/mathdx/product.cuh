#pragma once
/// \file All that the peer's kernels use of cuBLASDx, and of CUDA beside device.cuh. The simulated GPU of
/// the tests has a twin of it, tests/mathdx_peer/product.cuh.
#include <cublasdx.hpp>

#include "device.cuh"

namespace matgrad::block {

/// Before a function that is called from several places, and compiled once.
#define MATGRAD_PEER_CALLED __device__ __noinline__

/// How a factor lies in shared memory: row-major, kLd entries from row to row, perhaps multiplied as its
/// transposed.
template <int kLeading, bool kIsTransposed = false>
struct Rows {
    static constexpr int kLd = kLeading;
    static constexpr bool kTransposed = kIsTransposed;
};

/// A row-major matrix in shared or device memory, as cuBLASDx takes it.
template <int kRows, int kCols, int kLd, typename Pointer>
MATGRAD_DEVICE auto matrix(Pointer at) {
    return cublasdx::make_tensor(
        at, cute::make_layout(cute::make_shape(cute::Int<kRows>{}, cute::Int<kCols>{}),
                              cute::make_stride(cute::Int<kLd>{}, cute::Int<1>{})));
}

/// Begins to copy a contiguous matrix of device memory to rows of kLd entries.
template <typename Peer, int kRows, int kCols, int kLd>
MATGRAD_DEVICE void fetch(const typename Peer::Scalar* from, typename Peer::Scalar* to) {
    const auto there = matrix<kRows, kCols, kCols>(cute::make_gmem_ptr(from));
    auto here = matrix<kRows, kCols, kLd>(cute::make_smem_ptr(to));
    constexpr int kAlignment = row_alignment(kCols, sizeof(typename Peer::Scalar));
    cublasdx::copy<Peer::kThreads, kAlignment>(static_cast<unsigned>(thread_index()), there, here);
}

/// The copies of all threads have come.
MATGRAD_DEVICE void wait_for_copies() {
    cublasdx::copy_wait();
}

template <int kRows, int kCols, int kInner>
struct Sizes {};

/// A product in the registers of the block's threads.
template <typename Gemm, int kRows, int kCols, typename Fragment, typename Partitioner>
struct Product {
    using T = typename Gemm::c_value_type;
    static constexpr unsigned kAlignment = cublasdx::alignment_of<Gemm>::c;
    Fragment entries;
    Partitioner place;

    /// To rows of kLd entries in shared memory.
    template <int kLd>
    MATGRAD_DEVICE void store_shared(T* to) const {
        auto there = matrix<kRows, kCols, kLd>(cute::make_smem_ptr(to));
        cublasdx::copy_fragment<kAlignment>(entries, there, place);
    }
    /// To device memory, contiguous.
    MATGRAD_DEVICE void store_global(T* to) const {
        auto there = matrix<kRows, kCols, kCols>(cute::make_gmem_ptr(to));
        cublasdx::copy_fragment<row_alignment(kCols, sizeof(T))>(entries, there, place);
    }
    /// Subtracts itself from rows of kLd entries in shared memory.
    template <int kLd>
    MATGRAD_DEVICE void subtract_from(T* from) const {
        auto there = matrix<kRows, kCols, kLd>(cute::make_smem_ptr(from));
        auto theirs = place.partition_like_C(there);
        for_each([&](auto i) { theirs(i) -= entries(i); });
    }
    MATGRAD_DEVICE void scale(T by) {
        MATGRAD_UNROLL
        for (int i = 0; i < cute::size(entries); ++i) {
            entries(i) *= by;
        }
    }
    /// This thread's part of the sum of the entries times those in rows of kLd entries.
    template <int kLd>
    MATGRAD_DEVICE T dot(T* with) const {
        const auto there = matrix<kRows, kCols, kLd>(cute::make_smem_ptr(with));
        const auto theirs = place.partition_like_C(there);
        T sum = T(0);
        for_each([&](auto i) { sum += entries(i) * theirs(i); });
        return sum;
    }
    MATGRAD_DEVICE T sum_of_squares() const {
        T sum = T(0);
        for_each([&](auto i) { sum += entries(i) * entries(i); });
        return sum;
    }

private:
    template <typename Function>
    MATGRAD_DEVICE void for_each(Function function) const {
        if (place.is_thread_active()) {
            MATGRAD_UNROLL
            for (int i = 0; i < cute::size(entries); ++i) {
                if (!place.is_predicated() || place.is_index_in_bounds(i)) {
                    function(i);
                }
            }
        }
    }
};

template <typename Peer, typename A, typename B, int kRows, int kCols, int kInner>
struct GemmOf {
    using T = typename Peer::Scalar;
    static constexpr auto kOrderOfA = A::kTransposed ? cublasdx::col_major : cublasdx::row_major;
    static constexpr auto kOrderOfB = B::kTransposed ? cublasdx::col_major : cublasdx::row_major;
    using type =
        decltype(cublasdx::Size<kRows, kCols, kInner>() + cublasdx::Precision<T>() +
                 cublasdx::Type<cublasdx::type::real>() +
                 cublasdx::Function<cublasdx::function::MM>() +
                 cublasdx::Arrangement<kOrderOfA, kOrderOfB, cublasdx::row_major>() +
                 cublasdx::LeadingDimension<A::kLd, B::kLd, kCols>() +
                 cublasdx::Alignment<row_alignment(A::kLd, sizeof(T)),
                                     row_alignment(B::kLd, sizeof(T)),
                                     row_alignment(kCols, sizeof(T))>() +
                 cublasdx::SM<Peer::kArchitecture>() + cublasdx::BlockDim<Peer::kThreads>() +
                 cublasdx::experimental::StaticBlockDim() + cublasdx::Block());
};

/// A long inner dimension is added up in pieces: cuBLASDx unrolls what it is given.
template <int kInner, int kEntryBytes>
constexpr int inner_piece() {
    constexpr int kMost = 32, kLeast = 8, kAligned = 16 / kEntryBytes;
    for (int piece = kMost; piece >= kLeast && kInner > kMost; --piece) {
        if (kInner % piece == 0 && piece % kAligned == 0) {
            return piece;
        }
    }
    return kInner;
}

/// op(A) op(B), kRows-by-kCols, of factors that are complete in shared memory. All threads call it.
template <typename Peer, typename A, typename B, int kRows, int kCols, int kInner>
MATGRAD_DEVICE auto product(Sizes<kRows, kCols, kInner>, typename Peer::Scalar* a,
                            typename Peer::Scalar* b) {
    constexpr int kPiece = inner_piece<kInner, sizeof(typename Peer::Scalar)>();
    using Gemm = typename GemmOf<Peer, A, B, kRows, kCols, kPiece>::type;
    const auto left = [&](int at) {
        return cublasdx::make_tensor(a + at * (A::kTransposed ? A::kLd : 1),
                                     Gemm::get_layout_smem_a());
    };
    const auto right = [&](int at) {
        return cublasdx::make_tensor(b + at * (B::kTransposed ? 1 : B::kLd),
                                     Gemm::get_layout_smem_b());
    };
    // Products into registers take the layout of these, which is that of `place`.
    const auto place = Gemm::suggest_partitioner();
    auto entries = place.make_accumulator_fragment();
    cublasdx::clear(entries);
    MATGRAD_NO_UNROLL
    for (int at = 0; at < kInner; at += kPiece) {
        Gemm().execute(left(at), right(at), entries);
    }
    return Product<Gemm, kRows, kCols, decltype(entries), decltype(Gemm::suggest_partitioner())>{
        entries, place};
}

}  // namespace matgrad::block
