#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gram.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/plain/gram.hpp"
#include "cpu/plain/panels-inl.hpp"
#include "cpu/scratch.hpp"

#ifndef MATGRAD_GRAM_SIZES
#define MATGRAD_GRAM_SIZES
namespace matgrad::detail {
namespace {
/// Terms of one pass: a panel of them stays in the first-level cache, all panels in the second.
constexpr std::int64_t kPass = 128;
/// Passes of a chunk.
constexpr std::int64_t kChunkPasses = 4;
constexpr std::int64_t kMostChunks = 16;
/// The widest panel, in numbers of any type.
constexpr std::int64_t kWidest = 48;

std::int64_t chunk_length(std::int64_t n, std::int64_t inner) {
    const std::int64_t chunks = gram_chunks(n, inner);
    const std::int64_t passes = (inner + kPass - 1) / kPass;
    return (passes + chunks - 1) / chunks * kPass;
}

/// The sum, then the panels of one pass.
std::int64_t chunk_bytes(std::int64_t n) {
    const std::int64_t wide = n + kWidest;
    return align_up((wide * wide + wide * kPass) * size_of(ScalarType::float64));
}
}  // namespace
}  // namespace matgrad::detail
#endif

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// kStrip rows by some vectors of c += a' b over `depth` rows of two panels.
/// Not inlined: its inner loop needs all registers.
template <typename T, int kVectors>
HWY_NOINLINE void add_products(const T* a, const T* b, std::int64_t depth, bool first, T* c,
                               std::int64_t ld) {
    const Lane<T> d;
    LaneVector<T> sum[kStrip<T>][kVectors];
#pragma GCC unroll 8
    for (int i = 0; i < kStrip<T>; ++i) {
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            sum[i][v] = first ? hn::Zero(d) : hn::Load(d, c + i * ld + v * kWide<T>);
        }
    }
    accumulate<T, kVectors, false>(a, b, depth, sum);
#pragma GCC unroll 8
    for (int i = 0; i < kStrip<T>; ++i) {
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            hn::Store(sum[i][v], d, c + i * ld + v * kWide<T>);
        }
    }
}

template <typename T>
void chunk_typed(const View& a, std::int64_t chunk, std::byte* scratch) {
    const std::int64_t n = a.rows;
    const std::int64_t panels = panels_of<T>(n);
    const std::int64_t ld = panels * kPanel<T>;
    T* sum = reinterpret_cast<T*>(scratch + chunk * chunk_bytes(n));
    T* packed = sum + ld * ld;
    const std::int64_t length = chunk_length(n, a.cols);
    const std::int64_t begin = chunk * length;
    const std::int64_t end = std::min(a.cols, begin + length);
    for (std::int64_t k = begin; k < end; k += kPass) {
        const std::int64_t depth = std::min(kPass, end - k);
        const auto panel = [&](std::int64_t j) { return packed + j * kPanel<T> * kPass; };
        for (std::int64_t j = 0; j < panels; ++j) {
            const std::int64_t rows = std::min(kPanel<T>, n - j * kPanel<T>);
            load_panel<T>(transposed(block(a, j * kPanel<T>, k, rows, depth)), T{1}, panel(j));
        }
        for (std::int64_t j = 0; j < panels; ++j) {
            const std::int64_t col = j * kPanel<T>;
            const std::int64_t vectors =
                std::min<std::int64_t>(kPanelVectors, (n - col + kWide<T> - 1) / kWide<T>);
            for (std::int64_t row = col; row < n; row += kStrip<T>) {
                const T* left = panel(row / kPanel<T>) + row % kPanel<T>;
                // Beside the diagonal, only vectors that reach below it.
                const std::int64_t needed = (row - col + kStrip<T> + kWide<T> - 1) / kWide<T>;
                with_vectors(std::min(vectors, needed), [&](auto count) {
                    add_products<T, count()>(left, panel(j), depth, k == begin,
                                             sum + row * ld + col, ld);
                });
            }
        }
    }
}

template <typename T>
void sum_typed(T alpha, std::int64_t inner, const std::byte* scratch, bool mirror, const View& c) {
    const Lane<T> d;
    const std::int64_t n = c.rows;
    const std::int64_t ld = panels_of<T>(n) * kPanel<T>;
    const std::int64_t length = chunk_length(n, inner);
    HWY_ALIGN T panel[kPanel<T> * kPanel<T>];
    const auto scale = hn::Set(d, alpha);
    for (std::int64_t row = 0; row < n; row += kPanel<T>) {
        const std::int64_t rows = std::min(kPanel<T>, n - row);
        for (std::int64_t col = 0; col <= row; col += kPanel<T>) {
            const std::int64_t cols = std::min(kPanel<T>, n - col);
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t at = (row + r) * ld + col;
                for (std::int64_t v = 0; v < cols; v += kWide<T>) {
                    auto total = hn::Zero(d);
                    for (std::int64_t chunk = 0; chunk * length < inner; ++chunk) {
                        total = hn::Add(total, hn::Load(d, reinterpret_cast<const T*>(
                                                               scratch + chunk * chunk_bytes(n)) +
                                                               at + v));
                    }
                    hn::Store(hn::Mul(scale, total), d, panel + r * kPanel<T> + v);
                }
            }
            if (col < row) {
                store_panel<T>(panel, block(c, row, col, rows, cols));
                if (mirror) {
                    store_panel<T>(panel, transposed(block(c, col, row, cols, rows)));
                }
                continue;
            }
            for (std::int64_t r = 0; mirror && r < rows; ++r) {
                for (std::int64_t s = r + 1; s < rows; ++s) {
                    panel[r * kPanel<T> + s] = panel[s * kPanel<T> + r];
                }
            }
            for (std::int64_t r = 0; r < rows; ++r) {
                store_panel<T>(panel + r * kPanel<T>,
                               block(c, row + r, col, 1, mirror ? cols : r + 1));
            }
        }
    }
}

void chunk_all(ScalarType type, const View& a, std::int64_t chunk, std::byte* scratch) {
    with_type(type, [&](auto zero) { chunk_typed<decltype(zero)>(a, chunk, scratch); });
}

void sum_all(ScalarType type, double alpha, std::int64_t inner, const std::byte* scratch,
             bool mirror, const View& c) {
    with_type(type, [&](auto zero) {
        using T = decltype(zero);
        sum_typed<T>(static_cast<T>(alpha), inner, scratch, mirror, c);
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(chunk_all);
HWY_EXPORT(sum_all);

bool is_middle_gram(std::int64_t n) {
    return n <= 512;
}
std::int64_t gram_chunks(std::int64_t n, std::int64_t inner) {
    const std::int64_t passes = (inner + kPass - 1) / kPass;
    // Their sums shall not take more memory than the operand.
    return std::clamp<std::int64_t>(
        std::min(passes / kChunkPasses, inner / std::max<std::int64_t>(n, 1)), 1, kMostChunks);
}
std::int64_t gram_scratch_bytes(std::int64_t n, std::int64_t inner) {
    return gram_chunks(n, inner) * chunk_bytes(n);
}
void gram_chunk(ScalarType type, const View& a, std::int64_t chunk, std::byte* scratch) {
    HWY_DYNAMIC_DISPATCH(chunk_all)(type, a, chunk, scratch);
}
void gram_sum(ScalarType type, double alpha, std::int64_t inner, const std::byte* scratch,
              bool mirror, const View& c) {
    HWY_DYNAMIC_DISPATCH(sum_all)(type, alpha, inner, scratch, mirror, c);
}
}  // namespace matgrad::detail
#endif
