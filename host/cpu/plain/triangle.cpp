#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/triangle.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/pivot_status.hpp"
#include "cpu/plain/panels-inl.hpp"
#include "cpu/plain/triangle.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// A lower triangle S as panels of S': panel j holds rows [j*kPanel, (j+1)*kPanel) of S, entry
/// S(r, k) at row k, for k up to its last row. The reciprocals of the diagonal come first.
template <typename T>
class Packed {
public:
    Packed(std::byte* data, std::int64_t n)
        : reciprocals_(reinterpret_cast<T*>(data)),
          panels_(reciprocals_ + panels_of<T>(n) * kPanel<T>) {}

    [[nodiscard]] T* reciprocals() const { return reciprocals_; }
    [[nodiscard]] T* panel(std::int64_t j) const {
        return panels_ + j * (j + 1) / 2 * kPanel<T> * kPanel<T>;
    }
    /// kStrip rows of S from `row`, a multiple of kStrip, on.
    [[nodiscard]] const T* strip(std::int64_t row) const {
        return panel(row / kPanel<T>) + row % kPanel<T>;
    }

private:
    T* reciprocals_;
    T* panels_;
};

template <typename T>
std::int64_t padded(std::int64_t n) {
    return (n + kStrip<T> - 1) / kStrip<T> * kStrip<T>;
}

template <typename T, int kVectors>
HWY_INLINE void load_strip(const T* x, std::int64_t row,
                           LaneVector<T> (&sum)[kStrip<T>][kVectors]) {
#pragma GCC unroll 8
    for (int i = 0; i < kStrip<T>; ++i) {
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            sum[i][v] = hn::Load(Lane<T>(), x + (row + i) * kPanel<T> + v * kWide<T>);
        }
    }
}

template <typename T, int kVectors>
HWY_INLINE void store_strip(const LaneVector<T> (&sum)[kStrip<T>][kVectors], std::int64_t row,
                            T* x) {
#pragma GCC unroll 8
    for (int i = 0; i < kStrip<T>; ++i) {
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            hn::Store(sum[i][v], Lane<T>(), x + (row + i) * kPanel<T> + v * kWide<T>);
        }
    }
}

/// Substitution with the diagonal block of a strip; `corner` is that block.
template <typename T, int kVectors>
HWY_INLINE void substitute(const T* corner, const T* reciprocals,
                           LaneVector<T> (&sum)[kStrip<T>][kVectors]) {
    const Lane<T> d;
#pragma GCC unroll 8
    for (int k = 0; k < kStrip<T>; ++k) {
        const auto scale = hn::Set(d, reciprocals[k]);
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            sum[k][v] = hn::Mul(sum[k][v], scale);
        }
#pragma GCC unroll 8
        for (int i = k + 1; i < kStrip<T>; ++i) {
            const auto factor = hn::Set(d, corner[k * kPanel<T> + i]);
#pragma GCC unroll 3
            for (int v = 0; v < kVectors; ++v) {
                sum[i][v] = hn::NegMulAdd(factor, sum[k][v], sum[i][v]);
            }
        }
    }
}

/// Rows [row, row+kStrip) of S X = B for some vectors of a panel x; the rows above are solved.
/// Not inlined: its inner loop needs all registers.
template <typename T, int kVectors>
HWY_NOINLINE void solve_strip(const T* strip, const T* reciprocals, std::int64_t row, T* x) {
    LaneVector<T> sum[kStrip<T>][kVectors];
    load_strip<T, kVectors>(x, row, sum);
    accumulate<T, kVectors, true>(strip, x, row, sum);
    substitute<T, kVectors>(strip + row * kPanel<T>, reciprocals + row, sum);
    store_strip<T, kVectors>(sum, row, x);
}

/// The first half of it: what the rows above contribute.
template <typename T, int kVectors>
HWY_NOINLINE void reduce_strip(const T* strip, std::int64_t row, T* x) {
    LaneVector<T> sum[kStrip<T>][kVectors];
    load_strip<T, kVectors>(x, row, sum);
    accumulate<T, kVectors, true>(strip, x, row, sum);
    store_strip<T, kVectors>(sum, row, x);
}

/// The second half.
template <typename T, int kVectors>
HWY_NOINLINE void finish_strip(const T* strip, const T* reciprocals, std::int64_t row, T* x) {
    LaneVector<T> sum[kStrip<T>][kVectors];
    load_strip<T, kVectors>(x, row, sum);
    substitute<T, kVectors>(strip + row * kPanel<T>, reciprocals + row, sum);
    store_strip<T, kVectors>(sum, row, x);
}

/// Rows of S as a panel of S', zero below its last row.
template <typename T>
void load_rows(const View& s, std::int64_t first, T* panel) {
    const std::int64_t rows = std::min(kPanel<T>, s.rows - first);
    const std::int64_t depth = first + rows;
    load_panel<T>(transposed(block(s, first, 0, rows, depth)), T{1}, panel);
    std::fill(panel + depth * kPanel<T>, panel + (first + kPanel<T>)*kPanel<T>, T{0});
}

template <typename T>
void pack_typed(const View& s, bool unit, std::byte* to) {
    const Packed<T> packed(to, s.rows);
    for (std::int64_t first = 0; first < s.rows; first += kPanel<T>) {
        load_rows<T>(s, first, packed.panel(first / kPanel<T>));
    }
    std::fill_n(packed.reciprocals(), panels_of<T>(s.rows) * kPanel<T>, T{1});
    for (std::int64_t k = 0; k < s.rows && !unit; ++k) {
        packed.reciprocals()[k] =
            T{1} / packed.strip(k / kStrip<T> * kStrip<T>)[k * kPanel<T> + k % kStrip<T>];
    }
}

template <typename T>
void solve_typed(const std::byte* data, T alpha, const View& from, const View& to) {
    // Only ever read through it.
    const std::int64_t n = from.rows;
    const Packed<T> packed(const_cast<std::byte*>(data), n);
    HWY_ALIGN T x[(kTriangle + kStrip<T>)*kPanel<T>];
    std::fill(x + n * kPanel<T>, x + padded<T>(n) * kPanel<T>, T{0});
    for (std::int64_t first = 0; first < from.cols; first += kPanel<T>) {
        const std::int64_t cols = std::min(kPanel<T>, from.cols - first);
        load_panel<T>(block(from, 0, first, n, cols), alpha, x);
        with_vectors((cols + kWide<T> - 1) / kWide<T>, [&](auto vectors) {
            for (std::int64_t row = 0; row < n; row += kStrip<T>) {
                solve_strip<T, vectors()>(packed.strip(row), packed.reciprocals(), row, x);
            }
        });
        store_panel<T>(x, block(to, 0, first, n, cols));
    }
}

/// The diagonal block of a strip: `count` of its pivots are of the matrix, the rest pad it. Square
/// roots are taken at the end, all together: only a division stands between a pivot and the next.
/// Returns 0 or the status of the first bad pivot of these.
template <typename T>
std::int32_t factor_corner(T* corner, std::int64_t count, T* reciprocals) {
    T u[kStrip<T>][kStrip<T>] = {};  // u[k][i], i >= k: entry (i, k)
    T pivots[kStrip<T>];
    std::fill_n(pivots, kStrip<T>, T{1});
    for (std::int64_t k = 0; k < count; ++k) {
        std::copy(corner + k * kPanel<T> + k, corner + k * kPanel<T> + count, u[k] + k);
    }
    for (std::int64_t k = 0; k < count; ++k) {
        pivots[k] = u[k][k];
        if (!(pivots[k] > 0 && pivots[k] <= std::numeric_limits<T>::max())) {
            return cholesky_status(pivots[k], k + 1);
        }
        const T inverse = T{1} / pivots[k];
#pragma GCC unroll 8
        for (std::int64_t j = k + 1; j < kStrip<T>; ++j) {
            const T factor = u[k][j] * inverse;
#pragma GCC unroll 8
            for (std::int64_t i = j; i < kStrip<T>; ++i) {
                u[j][i] -= factor * u[k][i];
            }
        }
    }
    for (std::int64_t k = 0; k < kStrip<T>; ++k) {
        reciprocals[k] = T{1} / std::sqrt(pivots[k]);
    }
    for (std::int64_t k = 0; k < kStrip<T>; ++k) {
        for (std::int64_t i = 0; i < kStrip<T>; ++i) {
            corner[k * kPanel<T> + i] = u[k][i] * reciprocals[k];
        }
    }
    return 0;
}

/// Panel by panel of rows: those above are packed and solve it, as any right-hand side, up to its own
/// diagonal.
template <typename T>
std::int32_t factor_typed(const View& a, const View& to, std::byte* data) {
    const Packed<T> packed(data, a.rows);
    T* reciprocals = packed.reciprocals();
    for (std::int64_t first = 0; first < a.rows; first += kPanel<T>) {
        T* panel = packed.panel(first / kPanel<T>);
        load_rows<T>(a, first, panel);
        const std::int64_t rows = std::min(kPanel<T>, a.rows - first);
        const std::int64_t vectors = (rows + kWide<T> - 1) / kWide<T>;
        with_vectors(vectors, [&](auto count) {
            for (std::int64_t row = 0; row < first; row += kStrip<T>) {
                solve_strip<T, count()>(packed.strip(row), reciprocals, row, panel);
            }
        });
        for (std::int64_t begin = 0; begin < rows; begin += kStrip<T>) {
            // A vector may hold columns to the left of this strip's corner: no one reads them again.
            const std::int64_t left = begin / kWide<T>;
            const std::int64_t row = first + begin;
            const T* strip = panel + begin;
            T* x = panel + left * kWide<T>;
            with_vectors(vectors - left,
                         [&](auto count) { reduce_strip<T, count()>(strip, row, x); });
            T* corner = panel + row * kPanel<T> + begin;
            const std::int32_t bad =
                factor_corner<T>(corner, std::min(kStrip<T>, rows - begin), reciprocals + row);
            if (bad != 0) {
                return status_behind(row, bad);
            }
            T kept[kStrip<T>][kStrip<T>];
            for (std::int64_t k = 0; k < kStrip<T>; ++k) {
                std::copy_n(corner + k * kPanel<T>, kStrip<T>, kept[k]);
            }
            with_vectors(vectors - left,
                         [&](auto count) { finish_strip<T, count()>(strip, reciprocals, row, x); });
            for (std::int64_t k = 0; k < kStrip<T>; ++k) {
                std::copy_n(kept[k], kStrip<T>, corner + k * kPanel<T>);
            }
        }
        store_panel<T>(panel, transposed(block(to, first, 0, rows, first + rows)));
    }
    return 0;
}

void pack_all(ScalarType type, const View& s, bool unit, std::byte* packed) {
    with_type(type, [&](auto zero) { pack_typed<decltype(zero)>(s, unit, packed); });
}

void solve_all(ScalarType type, const std::byte* packed, double alpha, const View& from,
               const View& to) {
    with_type(type, [&](auto zero) {
        using T = decltype(zero);
        solve_typed<T>(packed, static_cast<T>(alpha), from, to);
    });
}

std::int32_t factor_all(ScalarType type, const View& from, const View& to, std::byte* packed) {
    return with_type(type,
                     [&](auto zero) { return factor_typed<decltype(zero)>(from, to, packed); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(pack_all);
HWY_EXPORT(solve_all);
HWY_EXPORT(factor_all);

std::int64_t packed_triangle_bytes(std::int64_t n) {
    // For the widest vectors: panels of 24 doubles or 48 floats.
    constexpr std::int64_t kLine = 192;
    const auto bytes = [n](std::int64_t width) {
        const std::int64_t panels = (n + width - 1) / width;
        return (panels * (panels + 1) / 2 * width + panels) * kLine;
    };
    return std::max(bytes(24), bytes(48));
}
void pack_triangle(ScalarType type, const View& s, bool unit, std::byte* packed) {
    HWY_DYNAMIC_DISPATCH(pack_all)(type, s, unit, packed);
}
void solve_packed(ScalarType type, const std::byte* packed, double alpha, const View& from,
                  const View& to) {
    HWY_DYNAMIC_DISPATCH(solve_all)(type, packed, alpha, from, to);
}
std::int32_t factor_lower(ScalarType type, const View& from, const View& to, std::byte* packed) {
    return HWY_DYNAMIC_DISPATCH(factor_all)(type, from, to, packed);
}
}  // namespace matgrad::detail
#endif
