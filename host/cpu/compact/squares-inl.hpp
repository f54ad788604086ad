/// \file Squares of numbers transposed in registers, and copies past the caches.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_SQUARES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_SQUARES_INL
#undef MATGRAD_SQUARES_INL
#else
#define MATGRAD_SQUARES_INL
#endif

#include <algorithm>

#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Transposes an N-by-N square of numbers held in N vectors of N lanes.
#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE void transpose_square(LaneVector<T>*) {}
#else
template <typename T>
HWY_INLINE void transpose_square(LaneVector<T>* v) {
    const Lane<T> d;
    constexpr int kBlock = 16 / sizeof(T);  // numbers in 128 bits
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    constexpr int kBlocks = kSize / kBlock;
    // Within each group of kBlock rows, transpose the 128-bit blocks.
#pragma GCC unroll 8
    for (int g = 0; g < kSize; g += kBlock) {
        if constexpr (kBlock == 4) {
            const auto ac0 = hn::InterleaveLower(d, v[g], v[g + 2]);
            const auto ac1 = hn::InterleaveUpper(d, v[g], v[g + 2]);
            const auto bd0 = hn::InterleaveLower(d, v[g + 1], v[g + 3]);
            const auto bd1 = hn::InterleaveUpper(d, v[g + 1], v[g + 3]);
            v[g] = hn::InterleaveLower(d, ac0, bd0);
            v[g + 1] = hn::InterleaveUpper(d, ac0, bd0);
            v[g + 2] = hn::InterleaveLower(d, ac1, bd1);
            v[g + 3] = hn::InterleaveUpper(d, ac1, bd1);
        } else {
            const auto low = hn::InterleaveLower(d, v[g], v[g + 1]);
            v[g + 1] = hn::InterleaveUpper(d, v[g], v[g + 1]);
            v[g] = low;
        }
    }
    // Then transpose the square of blocks.
    if constexpr (kBlocks == 2) {
#pragma GCC unroll 8
        for (int j = 0; j < kBlock; ++j) {
            const auto low = hn::ConcatLowerLower(d, v[kBlock + j], v[j]);
            v[kBlock + j] = hn::ConcatUpperUpper(d, v[kBlock + j], v[j]);
            v[j] = low;
        }
    } else if constexpr (kBlocks == 4) {
#pragma GCC unroll 8
        for (int j = 0; j < kBlock; ++j) {
            const auto a = v[j];
            const auto b = v[kBlock + j];
            const auto c = v[2 * kBlock + j];
            const auto e = v[3 * kBlock + j];
            const auto ab_even = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a);
            const auto ab_odd = hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a));
            const auto ce_even = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(e), c);
            const auto ce_odd = hn::OddEvenBlocks(e, hn::SwapAdjacentBlocks(c));
            v[j] = hn::ConcatLowerLower(d, ce_even, ab_even);
            v[kBlock + j] = hn::ConcatLowerLower(d, ce_odd, ab_odd);
            v[2 * kBlock + j] = hn::ConcatUpperUpper(d, ce_even, ab_even);
            v[3 * kBlock + j] = hn::ConcatUpperUpper(d, ce_odd, ab_odd);
        }
    }
}

#endif

/// The sum of the numbers of each of N vectors of N lanes, as one vector: a transpose that adds as soon as
/// two numbers of a sum meet.
#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE LaneVector<T> sums_of_square(const LaneVector<T>* v) {
    return v[0];
}
#else
template <typename T>
HWY_INLINE LaneVector<T> sums_of_square(const LaneVector<T>* v) {
    const Lane<T> d;
    constexpr int kBlock = 16 / sizeof(T);  // numbers in 128 bits
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    constexpr int kBlocks = kSize / kBlock;
    const auto pairs = [d](auto a, auto b) HWY_ATTR {
        return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
    };
    // Each group of kBlock vectors becomes one, with a sum of each in each 128-bit block.
    LaneVector<T> block[kBlocks];
#pragma GCC unroll 8
    for (int g = 0; g < kBlocks; ++g) {
        const LaneVector<T>* of = v + g * kBlock;
        if constexpr (kBlock == 4) {
            block[g] = pairs(pairs(of[0], of[2]), pairs(of[1], of[3]));
        } else {
            block[g] = pairs(of[0], of[1]);
        }
    }
    const auto halves = [d](auto a, auto b) HWY_ATTR {
        return hn::Add(hn::ConcatLowerLower(d, b, a), hn::ConcatUpperUpper(d, b, a));
    };
    if constexpr (kBlocks == 4) {
        const auto odd_even = [](auto a, auto b) HWY_ATTR {
            return hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a),
                           hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a)));
        };
        return halves(odd_even(block[0], block[1]), odd_even(block[2], block[3]));
    } else if constexpr (kBlocks == 2) {
        return halves(block[0], block[1]);
    } else {
        return block[0];
    }
}
#endif

/// The first `count` numbers, fewer than fill a line.
template <typename T>
HWY_INLINE void copy_few(const T* from, std::int64_t count, T* to) {
    const Lane<T> d;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = 0; i < count; i += step) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::min(step, count - i)));
        hn::BlendedStore(hn::MaskedLoad(mask, d, from + i), mask, d, to + i);
    }
}

/// Copies past the caches, so that a large result does not push out what the next tile needs and
/// no line is read before it is overwritten.
template <typename T>
HWY_INLINE void stream_out(const T* from, std::int64_t count, T* to) {
    const Lane<T> d;
    constexpr std::int64_t kLine = 64 / sizeof(T);
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    const auto beyond = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % 64);
    const std::int64_t head =
        std::min(count, (64 - beyond) % 64 / static_cast<std::int64_t>(sizeof(T)));
    const std::int64_t end = head + (count - head) / kLine * kLine;
    copy_few(from, head, to);
    for (std::int64_t i = head; i < end; i += step) {
        hn::Stream(hn::LoadU(d, from + i), d, to + i);
    }
    copy_few(from + end, count - end, to + end);
}

/// to = from, where from has unit row stride and to unit column stride.
template <typename T>
HWY_INLINE void transpose_matrix(const View& from, const View& to) {
    const Lane<T> d;
    constexpr std::int64_t kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    constexpr std::int64_t kWorthSquare = 64;
    const auto* in = reinterpret_cast<const T*>(from.data);
    auto* out = reinterpret_cast<T*>(to.data);
    for (std::int64_t r = 0; r < to.rows; r += kSize) {
        for (std::int64_t c = 0; c < to.cols; c += kSize) {
            const std::int64_t rows = std::min(kSize, to.rows - r);
            const std::int64_t cols = std::min(kSize, to.cols - c);
            const T* source = in + c * from.col_stride + r;
            T* target = out + r * to.row_stride + c;
            LaneVector<T> v[kSize];
            if (rows == kSize && cols == kSize) {
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    v[i] = hn::LoadU(d, source + i * from.col_stride);
                }
                transpose_square<T>(v);
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    hn::StoreU(v[i], d, target + i * to.row_stride);
                }
            } else if (rows * cols >= kWorthSquare) {
                const auto across = hn::FirstN(d, static_cast<std::size_t>(rows));
                const auto along = hn::FirstN(d, static_cast<std::size_t>(cols));
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    v[i] = i < cols ? hn::MaskedLoad(across, d, source + i * from.col_stride)
                                    : hn::Zero(d);
                }
                transpose_square<T>(v);
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    if (i < rows) {
                        hn::BlendedStore(v[i], along, d, target + i * to.row_stride);
                    }
                }
            } else {
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t j = 0; j < cols; ++j) {
                        target[i * to.row_stride + j] = source[j * from.col_stride + i];
                    }
                }
            }
        }
    }
}

/// to = from, any strides of from, unit column stride of to.
template <typename T>
HWY_INLINE void copy_rows(const View& from, const View& to) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto* in = reinterpret_cast<const T*>(from.data);
    auto* out = reinterpret_cast<T*>(to.data);
    for (std::int64_t r = 0; r < to.rows; ++r) {
        const T* source = in + r * from.row_stride;
        T* target = out + r * to.row_stride;
        if (from.col_stride != 1) {
            for (std::int64_t c = 0; c < to.cols; ++c) {
                target[c] = source[c * from.col_stride];
            }
            continue;
        }
        std::int64_t c = 0;
        for (; c + lanes <= to.cols; c += lanes) {
            hn::StoreU(hn::LoadU(d, source + c), d, target + c);
        }
        copy_few(source + c, to.cols - c, target + c);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
