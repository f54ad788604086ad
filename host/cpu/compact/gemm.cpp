/// \file Matrix products in the compact layout.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/blocks-inl.hpp"
#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// The vector at lane `lane` of one element of any view, as T.
template <typename T>
HWY_INLINE LaneVector<T> load_any(const View& v, std::int64_t r, std::int64_t c, int lane) {
    const Lane<T> d;
    const std::byte* at = v.at(r, c);
    if (v.lanes == 1) {
        return hn::Set(d, v.type == ScalarType::float32
                              ? static_cast<T>(*reinterpret_cast<const float*>(at))
                              : static_cast<T>(*reinterpret_cast<const double*>(at)));
    }
    if constexpr (sizeof(T) == sizeof(float)) {
        if (v.type == ScalarType::float64) {
            const double* from = reinterpret_cast<const double*>(at) + lane;
#if HWY_TARGET == HWY_SCALAR
            return hn::Set(d, static_cast<T>(*from));
#else
            const hn::Half<Lane<T> > half;
            const hn::Rebind<double, hn::Half<Lane<T> > > wide;
            return hn::Combine(d, hn::DemoteTo(half, hn::Load(wide, from + hn::Lanes(wide))),
                               hn::DemoteTo(half, hn::Load(wide, from)));
#endif
        }
        return hn::Load(d, reinterpret_cast<const T*>(at) + lane);
    } else {
        return v.type == ScalarType::float32
                   ? load_as<T>(reinterpret_cast<const float*>(at) + lane)
                   : load_as<T>(reinterpret_cast<const double*>(at) + lane);
    }
}

template <typename T>
HWY_INLINE void store_any(LaneVector<T> value, const View& v, std::int64_t r, std::int64_t c,
                          int lane) {
    if (v.type == ScalarType::float32) {
        store_as<T>(value, reinterpret_cast<float*>(v.at(r, c)) + lane);
    } else {
        store_as<T>(value, reinterpret_cast<double*>(v.at(r, c)) + lane);
    }
}

/// A block with nothing at its edges.
template <typename T, typename To, int kRows, int kCols>
HWY_INLINE void store_whole(const Block<T, kRows, kCols>& block, bool scaled, LaneVector<T> alpha,
                            To* out, std::int64_t row_step, std::int64_t col_step) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            const auto value = scaled ? hn::Mul(alpha, block.sum[i][j]) : block.sum[i][j];
            store_as<T>(value, out + i * row_step + j * col_step);
        }
    }
}

/// alpha * block + beta * c, where c has lanes of T, all in place of the block.
template <typename T, int kRows, int kCols>
HWY_INLINE void add_whole(Block<T, kRows, kCols>& block, const LaneGemm& call, std::int64_t row,
                          std::int64_t col, int lane) {
    const Lane<T> d;
    const Elements<T> c(call.c, lane);
    const auto alpha = hn::Set(d, static_cast<T>(call.alpha));
    const auto beta = hn::Set(d, static_cast<T>(call.beta));
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            const auto added = hn::Load(d, c.at(row + i, col + j));
            block.sum[i][j] = hn::MulAdd(beta, added, hn::Mul(alpha, block.sum[i][j]));
        }
    }
}

template <typename T, typename To, int kRows, int kCols>
HWY_INLINE void store_mirrored(const Block<T, kRows, kCols>& block, const LaneGemm& call,
                               LaneVector<T> alpha, std::int64_t row, std::int64_t col, int lane) {
    const Elements<To> out(call.out, lane);
    const bool added = call.beta != 0 && call.c.data != nullptr;
    const bool scaled = call.alpha != 1 && !added;
    store_whole<T>(block, scaled, alpha, out.at(row, col), out.row_step, out.col_step);
    if (call.mirror) {
        store_whole<T>(block, scaled, alpha, out.at(col, row), out.col_step, out.row_step);
    }
}

/// Part of a block of the result.
struct Patch {
    std::int64_t row, col;
    int rows, cols;
};

/// A block that crosses an edge, with nothing added.
template <typename T, typename To, int kRows, int kCols>
HWY_INLINE void store_some(const Block<T, kRows, kCols>& block, const LaneGemm& call,
                           LaneVector<T> alpha, Patch patch, int lane) {
    const Elements<To> out(call.out, lane);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            const std::int64_t r = patch.row + i;
            const std::int64_t c = patch.col + j;
            if (i < patch.rows && j < patch.cols && (!call.lower_only || c <= r)) {
                const auto value = hn::Mul(alpha, block.sum[i][j]);
                store_as<T>(value, out.at(r, c));
                if (call.mirror && c != r) {
                    store_as<T>(value, out.at(c, r));
                }
            }
        }
    }
}

/// A block that crosses an edge and has something added, one entry at a time.
template <typename T>
HWY_NOINLINE void store_edge(const LaneGemm& call, const T* values, int values_cols, Patch patch,
                             int lane) {
    const Lane<T> d;
    const auto alpha = hn::Set(d, static_cast<T>(call.alpha));
    const auto beta = hn::Set(d, static_cast<T>(call.beta));
    const bool added = call.beta != 0 && call.c.data != nullptr;
    for (int i = 0; i < patch.rows; ++i) {
        for (int j = 0; j < patch.cols; ++j) {
            const std::int64_t r = patch.row + i;
            const std::int64_t c = patch.col + j;
            if (call.lower_only && c > r) {
                break;
            }
            auto value =
                hn::Load(d, values + (i * values_cols + j) * static_cast<int>(hn::Lanes(d)));
            if (call.alpha != 1) {
                value = hn::Mul(alpha, value);
            }
            if (added) {
                value = hn::MulAdd(beta, load_any<T>(call.c, r, c, lane), value);
            }
            store_any<T>(value, call.out, r, c, lane);
            if (call.mirror && c != r) {
                store_any<T>(value, call.out, c, r, lane);
            }
        }
    }
}

/// Rows of a, converted once for all blocks of columns.
inline constexpr std::int64_t kPanelInner = 128;

template <typename T, typename TA, int kRows>
HWY_INLINE void convert_panel(const TA* const* a, std::int64_t a_step, std::int64_t inner,
                              T* panel) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t k = 0; k < inner; ++k) {
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
            hn::Store(load_as<T>(a[i] + k * a_step), d, panel + (k * kRows + i) * lanes);
        }
    }
}

/// A block to where it goes.
template <typename T, int kRows, int kCols>
HWY_INLINE void finish_block(const LaneGemm& call, Block<T, kRows, kCols>& block, Patch patch,
                             int lane) {
    const Lane<T> d;
    constexpr ScalarType kType =
        sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;
    const int step = static_cast<int>(hn::Lanes(d));
    const auto alpha = hn::Set(d, static_cast<T>(call.alpha));
    const bool added = call.beta != 0 && call.c.data != nullptr;
    const bool adds_lanes = added && call.c.lanes == kLanes && call.c.type == kType;
    const bool below = !call.lower_only || patch.col + kCols <= patch.row;
    const bool is_float = call.out.type == ScalarType::float32;
    if ((!added || adds_lanes) && below && patch.rows == kRows && patch.cols == kCols) {
        if (adds_lanes) {
            add_whole<T>(block, call, patch.row, patch.col, lane);
        }
        if (is_float) {
            store_mirrored<T, float>(block, call, alpha, patch.row, patch.col, lane);
        } else {
            store_mirrored<T, double>(block, call, alpha, patch.row, patch.col, lane);
        }
    } else if (!added && is_float) {
        store_some<T, float>(block, call, alpha, patch, lane);
    } else if (!added) {
        store_some<T, double>(block, call, alpha, patch, lane);
    } else {
        HWY_ALIGN T values[kRows * kCols * kLanes];
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
            for (int j = 0; j < kCols; ++j) {
                hn::Store(block.sum[i][j], d, values + (i * kCols + j) * step);
            }
        }
        store_edge<T>(call, values, kCols, patch, lane);
    }
}

template <typename T, typename TA, typename TB, bool kSharedB, int kRows, int kCols>
HWY_NOINLINE void gemm_blocks(const LaneGemm& first_call) {
    const Lane<T> d;
    LaneGemm call = first_call;
    const std::int64_t m = call.out.rows;
    const std::int64_t n = call.out.cols;
    const std::int64_t inner = call.a.cols;
    const int step = static_cast<int>(hn::Lanes(d));
    constexpr bool kConverts = !std::is_same_v<T, TA> && kRows == 4;
    const bool converts = kConverts && inner <= kPanelInner && n > kCols;
    HWY_ALIGN T panel[kConverts ? kPanelInner * kRows * (kLanes / (sizeof(T) / 4)) : 1];
    for (std::int64_t g = 0; g < call.groups; ++g) {
        for (int lane = 0; lane < kLanes; lane += step) {
            const Elements<TA> left(call.a, lane);
            const Elements<TB> right(call.b, kSharedB ? 0 : lane);
            for (std::int64_t i0 = 0; i0 < m; i0 += kRows) {
                const int rows = static_cast<int>(std::min<std::int64_t>(kRows, m - i0));
                const TA* a[kRows] = {};
                if (converts || rows < kRows || n % kCols != 0) {
                    for (int i = 0; i < kRows; ++i) {
                        a[i] = left.at(i0 + std::min(i, rows - 1), 0);
                    }
                }
                if (converts) {
                    convert_panel<T, TA, kRows>(a, left.col_step, inner, panel);
                }
                const std::int64_t first = call.upper ? i0 : 0;
                const std::int64_t last = call.lower_only ? std::min(n, i0 + rows) : n;
                for (std::int64_t j0 = 0; j0 < last; j0 += kCols) {
                    const int cols = static_cast<int>(std::min<std::int64_t>(kCols, n - j0));
                    Block<T, kRows, kCols> block;
                    if (!converts && rows == kRows && cols == kCols) {
                        multiply_block<T, kSharedB>(
                            Strided<TA>{left.at(i0, 0), left.col_step, left.row_step},
                            Strided<TB>{right.at(0, j0), right.row_step, right.col_step}, first,
                            inner, block);
                        finish_block<T>(call, block, {i0, j0, rows, cols}, lane);
                        continue;
                    }
                    const TB* b[kCols];
                    for (int j = 0; j < kCols; ++j) {
                        b[j] = right.at(0, j0 + std::min(j, cols - 1));
                    }
                    const Places<TB> columns{b, right.row_step};
                    if (converts) {
                        multiply_block<T, kSharedB>(Strided<T>{panel, kRows * step, step}, columns,
                                                    first, inner, block);
                    } else {
                        multiply_block<T, kSharedB>(Places<TA>{a, left.col_step}, columns, first,
                                                    inner, block);
                    }
                    finish_block<T>(call, block, {i0, j0, rows, cols}, lane);
                }
            }
        }
        call.a.data += call.a_group;
        call.b.data += call.b_group;
        call.c.data += call.c.data == nullptr ? 0 : call.c_group;
        call.out.data += call.out_group;
    }
}

#if HWY_TARGET == HWY_AVX3
inline constexpr int kBlockCols = 4;
#else
inline constexpr int kBlockCols = 3;  // 16 registers hold 4x3 sums and their factors
#endif

template <typename T, typename TA, typename TB, bool kSharedB>
void gemm_typed(const LaneGemm& call) {
    if (call.out.cols == 1) {
        gemm_blocks<T, TA, TB, kSharedB, 8, 1>(call);
    } else if (call.out.rows == 1) {
        gemm_blocks<T, TA, TB, kSharedB, 1, 8>(call);
    } else {
        gemm_blocks<T, TA, TB, kSharedB, 4, kBlockCols>(call);
    }
}

template <typename T, typename TA>
void gemm_for_b(const LaneGemm& call) {
    if (call.b.lanes == 1) {
        gemm_typed<T, TA, T, true>(call);
    } else if (call.b.type == call.type) {
        gemm_typed<T, TA, T, false>(call);
    } else {
        gemm_typed<T, TA, float, false>(call);
    }
}

void gemm_all(const LaneGemm& call) {
    if (call.type == ScalarType::float32) {
        gemm_for_b<float, float>(call);
    } else if (call.a.type == ScalarType::float64) {
        gemm_for_b<double, double>(call);
    } else {
        gemm_for_b<double, float>(call);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(gemm_all);
void lane_gemm(const LaneGemm& call) {
    HWY_DYNAMIC_DISPATCH(gemm_all)(call);
}
}  // namespace matgrad::detail
#endif
