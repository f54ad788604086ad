/// \file Panels: matrices cut into slices of a few vectors, one slice stored row after row.
/// Included once per instruction set (Highway's pattern).
///
/// A panel of a matrix holds kPanel<T> of its columns: row k is at k * kPanel<T>. All blocked work of
/// the plain layout (triangular solves, Cholesky, Gram matrices) is on panels, by one loop that keeps
/// kStrip<T> rows by up to three vectors in registers.

#if defined(MATGRAD_PANELS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_PANELS_INL
#undef MATGRAD_PANELS_INL
#else
#define MATGRAD_PANELS_INL
#endif

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Numbers of a vector.
template <typename T>
inline constexpr std::int64_t kWide = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
inline constexpr int kPanelVectors = 3;
template <typename T>
inline constexpr std::int64_t kPanel = kPanelVectors* kWide<T>;

/// Rows that registers hold beside the vectors of a panel; divides kPanel.
#if HWY_TARGET == HWY_AVX3
template <typename T>
inline constexpr std::int64_t kStrip = 8;
#else
template <typename T>
inline constexpr std::int64_t kStrip = kWide<T> >= 4 ? 4 : 3;
#endif

template <typename T>
std::int64_t panels_of(std::int64_t cols) {
    return (cols + kPanel<T> - 1) / kPanel<T>;
}

/// sum[i][v] -= (or +=) a[k][i] * b[k][v], over k in order; a and b are in panels.
template <typename T, int kVectors, bool kMinus>
HWY_INLINE void accumulate(const T* a, const T* b, std::int64_t depth,
                           LaneVector<T> (&sum)[kStrip<T>][kVectors]) {
    const Lane<T> d;
    for (std::int64_t k = 0; k < depth; ++k) {
        LaneVector<T> row[kVectors];
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) {
            row[v] = hn::Load(d, b + v * kWide<T>);
        }
#pragma GCC unroll 8
        for (int i = 0; i < kStrip<T>; ++i) {
            const auto spread = hn::Set(d, a[i]);
#pragma GCC unroll 3
            for (int v = 0; v < kVectors; ++v) {
                sum[i][v] = kMinus ? hn::NegMulAdd(spread, row[v], sum[i][v])
                                   : hn::MulAdd(spread, row[v], sum[i][v]);
            }
        }
        a += kPanel<T>;
        b += kPanel<T>;
    }
}

/// function(std::integral_constant<int, count>), 1 <= count <= kPanelVectors.
template <typename Function>
HWY_INLINE void with_vectors(std::int64_t count, Function function) {
    switch (count) {
        case 1:
            return function(std::integral_constant<int, 1>());
        case 2:
            return function(std::integral_constant<int, 2>());
        default:
            return function(std::integral_constant<int, kPanelVectors>());
    }
}

template <typename T, typename From>
HWY_INLINE LaneVector<T> load_from(const From* from) {
    const Lane<T> d;
    if constexpr (std::is_same_v<T, From>) {
        return hn::LoadU(d, from);
    } else {
        return hn::PromoteTo(d, hn::LoadU(hn::Rebind<From, Lane<T>>(), from));
    }
}

template <typename T, typename To>
HWY_INLINE void store_to(LaneVector<T> v, To* to) {
    if constexpr (std::is_same_v<T, To>) {
        hn::StoreU(v, Lane<T>(), to);
    } else {
        const hn::Rebind<To, Lane<T>> narrow;
        hn::StoreU(hn::DemoteTo(narrow, v), narrow, to);
    }
}

/// One panel from v (at most kPanel columns), times alpha; From is T or narrower. Quick where one
/// stride of v is 1 or -1: what does not fill a square or a vector overlaps with the one before.
/// Columns of the last vector past the edge are zero or repeat the last one.
template <typename T, typename From>
void load_panel_typed(const View& v, T alpha, T* to) {
    const Lane<T> d;
    constexpr std::int64_t kSize = kWide<T>;
    const auto* from = reinterpret_cast<const From*>(v.data);
    const auto entry = [&v, from, alpha](std::int64_t k, std::int64_t r) {
        return alpha * static_cast<T>(from[k * v.row_stride + r * v.col_stride]);
    };
    const auto scale = hn::Set(d, alpha);
    const std::int64_t vectors = (v.cols + kSize - 1) / kSize;
    if (std::abs(v.row_stride) == 1 && std::abs(v.col_stride) != 1 && v.rows > 1) {
        const bool forward = v.row_stride == 1;
        for (std::int64_t next = 0; next < v.rows && v.rows >= kSize; next += kSize) {
            const std::int64_t k0 = std::min(next, v.rows - kSize);
            const From* first = from + (forward ? k0 : -(k0 + kSize - 1));
            for (std::int64_t g = 0; g < vectors; ++g) {
                LaneVector<T> square[kSize];
                const std::int64_t last = std::min(kSize, v.cols - g * kSize) - 1;
                if (last + 1 == kSize) {
#pragma GCC unroll 16
                    for (std::int64_t i = 0; i < kSize; ++i) {
                        square[i] = load_from<T>(first + i * v.col_stride);
                    }
                } else {
#pragma GCC unroll 16
                    for (std::int64_t i = 0; i < kSize; ++i) {
                        square[i] = load_from<T>(first + std::min(i, last) * v.col_stride);
                    }
                }
                first += kSize * v.col_stride;
                transpose_square<T>(square);
                T* out = to + g * kSize + (forward ? k0 : k0 + kSize - 1) * kPanel<T>;
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    hn::Store(hn::Mul(scale, square[i]), d,
                              out + (forward ? i * kPanel<T> : -i * kPanel<T>));
                }
            }
        }
        for (std::int64_t k = 0; k < v.rows && v.rows < kSize; ++k) {
            for (std::int64_t r = 0; r < vectors * kSize; ++r) {
                to[k * kPanel<T> + r] = entry(k, std::min(r, v.cols - 1));
            }
        }
        return;
    }
    const bool by_vectors = std::abs(v.col_stride) == 1 && v.cols >= kSize;
    for (std::int64_t k = 0; k < v.rows; ++k) {
        const From* row = from + k * v.row_stride;
        T* out = to + k * kPanel<T>;
        if (by_vectors) {
            hn::Store(hn::Zero(d), d, out + (vectors - 1) * kSize);
            for (std::int64_t next = 0; next < v.cols; next += kSize) {
                const std::int64_t r = std::min(next, v.cols - kSize);
                const auto values = v.col_stride == 1
                                        ? load_from<T>(row + r)
                                        : hn::Reverse(d, load_from<T>(row - r - (kSize - 1)));
                hn::StoreU(hn::Mul(scale, values), d, out + r);
            }
            continue;
        }
        for (std::int64_t r = 0; r < vectors * kSize; ++r) {
            out[r] = r < v.cols ? entry(k, r) : T{0};
        }
    }
}

template <typename T>
void load_panel(const View& v, T alpha, T* to) {
    if constexpr (std::is_same_v<T, double>) {
        if (v.type == ScalarType::float32) {
            return load_panel_typed<double, float>(v, alpha, to);
        }
    }
    load_panel_typed<T, T>(v, alpha, to);
}

/// The reverse: v (at most kPanel columns) from a panel.
template <typename T, typename To>
void store_panel_typed(const T* from, const View& v) {
    const Lane<T> d;
    constexpr std::int64_t kSize = kWide<T>;
    auto* to = reinterpret_cast<To*>(v.data);
    const auto put = [&v, to, from](std::int64_t k, std::int64_t r) {
        to[k * v.row_stride + r * v.col_stride] = static_cast<To>(from[k * kPanel<T> + r]);
    };
    if (std::abs(v.row_stride) == 1 && std::abs(v.col_stride) != 1 && v.rows > 1) {
        const bool forward = v.row_stride == 1;
        for (std::int64_t next = 0; next < v.rows && v.rows >= kSize; next += kSize) {
            const std::int64_t k0 = std::min(next, v.rows - kSize);
            To* first = to + (forward ? k0 : -(k0 + kSize - 1));
            const T* in = from + (forward ? k0 : k0 + kSize - 1) * kPanel<T>;
            for (std::int64_t c = 0; c < v.cols; c += kSize) {
                LaneVector<T> square[kSize];
#pragma GCC unroll 16
                for (std::int64_t i = 0; i < kSize; ++i) {
                    square[i] = hn::Load(d, in + c + (forward ? i * kPanel<T> : -i * kPanel<T>));
                }
                transpose_square<T>(square);
                const std::int64_t count = std::min(kSize, v.cols - c);
                if (count == kSize) {
#pragma GCC unroll 16
                    for (std::int64_t i = 0; i < kSize; ++i) {
                        store_to<T>(square[i], first + i * v.col_stride);
                    }
                } else {
#pragma GCC unroll 16
                    for (std::int64_t i = 0; i < kSize; ++i) {
                        if (i < count) {
                            store_to<T>(square[i], first + i * v.col_stride);
                        }
                    }
                }
                first += kSize * v.col_stride;
            }
        }
        for (std::int64_t k = 0; k < v.rows && v.rows < kSize; ++k) {
            for (std::int64_t r = 0; r < v.cols; ++r) {
                put(k, r);
            }
        }
        return;
    }
    const bool by_vectors = v.col_stride == 1 && v.cols >= kSize;
    for (std::int64_t k = 0; k < v.rows; ++k) {
        for (std::int64_t next = 0; next < v.cols && by_vectors; next += kSize) {
            const std::int64_t r = std::min(next, v.cols - kSize);
            store_to<T>(hn::LoadU(d, from + k * kPanel<T> + r), to + k * v.row_stride + r);
        }
        for (std::int64_t r = 0; r < v.cols && !by_vectors; ++r) {
            put(k, r);
        }
    }
}

template <typename T>
void store_panel(const T* from, const View& v) {
    if constexpr (std::is_same_v<T, double>) {
        if (v.type == ScalarType::float32) {
            return store_panel_typed<double, float>(from, v);
        }
    }
    store_panel_typed<T, T>(from, v);
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
