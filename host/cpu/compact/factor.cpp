/// \file Triangular solves and Cholesky factorizations in the compact layout.
///
/// Everything is left-looking over blocks of four rows: a block gathers its sum over all earlier
/// columns in registers, is finished there, and is stored once.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/factor.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"
#include "cpu/pivot_status.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3
inline constexpr int kSolveCols = 4;
#else
inline constexpr int kSolveCols = 2;
#endif
inline constexpr int kSolveRows = 4;

/// L X = alpha B for one group of lanes. B may be X. `reciprocals` of the diagonal of L, null if that
/// is 1.
template <typename T, typename TB>
struct Triangle {
    Elements<T> l;
    Elements<TB> b;
    Elements<T> x;
    T alpha;
    const T* reciprocals;
    std::int64_t order;
};

template <typename T, typename TB>
HWY_INLINE void store_reciprocals(const Triangle<T, TB>& t, T* to) {
    const Lane<T> d;
    for (std::int64_t k = 0; k < t.order; ++k) {
        hn::Store(hn::Div(hn::Set(d, T{1}), hn::Load(d, t.l.at(k, k))), d, to + k * kLanes);
    }
}

/// Rows [row, row+kRows) of X for kCols columns from `col` on, `cols` of them real; the rows above
/// are solved, those above `from` are zero.
template <typename T, typename TB, int kRows, int kCols, bool kIdentity = false>
HWY_INLINE void solve_block(const Triangle<T, TB>& t, std::int64_t row, std::int64_t col, int cols,
                            std::int64_t from = 0) {
    const Lane<T> d;
    const T* left[kRows];
    T* right[kCols];
    LaneVector<T> sum[kRows][kCols];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
        left[i] = t.l.at(row + i, from);
    }
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) {
        const std::int64_t column = col + std::min(j, cols - 1);
        right[j] = t.x.at(from, column);
        if constexpr (kIdentity) {
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                sum[i][j] = hn::Set(d, row + i == column ? t.alpha : T{0});
            }
        } else {
            const TB* given = t.b.at(row, column);
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                sum[i][j] = load_as<T>(given + i * t.b.row_step);
            }
        }
    }
    if (!kIdentity && t.alpha != T{1}) {
        const auto alpha = hn::Set(d, t.alpha);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
            for (int j = 0; j < kCols; ++j) {
                sum[i][j] = hn::Mul(alpha, sum[i][j]);
            }
        }
    }
    std::int64_t l_at = 0;
    std::int64_t x_at = 0;
    for (std::int64_t k = from; k < row; ++k) {
        LaneVector<T> factor[kRows];
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
            factor[i] = hn::Load(d, left[i] + l_at);
        }
#pragma GCC unroll 8
        for (int j = 0; j < kCols; ++j) {
            const auto known = hn::Load(d, right[j] + x_at);
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                sum[i][j] = hn::NegMulAdd(factor[i], known, sum[i][j]);
            }
        }
        l_at += t.l.col_step;
        x_at += t.x.row_step;
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int k = 0; k < i; ++k) {
            const auto factor = hn::Load(d, t.l.at(row + i, row + k));
#pragma GCC unroll 8
            for (int j = 0; j < kCols; ++j) {
                sum[i][j] = hn::NegMulAdd(factor, sum[k][j], sum[i][j]);
            }
        }
        if (t.reciprocals != nullptr) {
            const auto scale = hn::Load(d, t.reciprocals + (row + i) * kLanes);
#pragma GCC unroll 8
            for (int j = 0; j < kCols; ++j) {
                sum[i][j] = hn::Mul(sum[i][j], scale);
            }
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) {
        if (j < cols) {
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
                hn::Store(sum[i][j], d, right[j] + (row - from + i) * t.x.row_step);
            }
        }
    }
}

/// `kRows` rows from `row` on, all columns [col0, col1).
template <int kRows, typename T, typename TB>
HWY_INLINE void solve_rows(const Triangle<T, TB>& t, std::int64_t row, std::int64_t col0,
                           std::int64_t col1) {
    if (col1 - col0 == 1) {
        solve_block<T, TB, kRows, 1>(t, row, col0, 1);
        return;
    }
    for (std::int64_t c = col0; c < col1; c += kSolveCols) {
        const int cols = static_cast<int>(std::min<std::int64_t>(kSolveCols, col1 - c));
        solve_block<T, TB, kRows, kSolveCols>(t, row, c, cols);
    }
}

template <typename T, typename TB>
HWY_INLINE void solve_some_rows(int rows, const Triangle<T, TB>& t, std::int64_t row,
                                std::int64_t col0, std::int64_t col1) {
    switch (rows) {
        case 1:
            return solve_rows<1>(t, row, col0, col1);
        case 2:
            return solve_rows<2>(t, row, col0, col1);
        case 3:
            return solve_rows<3>(t, row, col0, col1);
        default:
            return solve_rows<kSolveRows>(t, row, col0, col1);
    }
}

template <typename T, typename TB>
void solve_lower_typed(const View& l, bool unit, double alpha, const View& b, const View& x,
                       std::byte* reciprocals) {
    const Lane<T> d;
    const std::int64_t n = x.rows;
    const int step = static_cast<int>(hn::Lanes(d));
    for (int lane = 0; lane < kLanes; lane += step) {
        T* scale = reinterpret_cast<T*>(reciprocals) + lane;
        const Triangle<T, TB> t{Elements<T>(l, lane),  Elements<TB>(b, lane),  Elements<T>(x, lane),
                                static_cast<T>(alpha), unit ? nullptr : scale, n};
        if (!unit) {
            store_reciprocals(t, scale);
        }
        // Some columns from top to bottom: they stay in the first-level cache, as does the triangle.
        for (std::int64_t col = 0; col < x.cols; col += kSolveCols) {
            const std::int64_t end = std::min<std::int64_t>(x.cols, col + kSolveCols);
            for (std::int64_t row = 0; row < n; row += kSolveRows) {
                const int rows = static_cast<int>(std::min<std::int64_t>(kSolveRows, n - row));
                solve_some_rows(rows, t, row, col, end);
            }
        }
    }
}

/// Columns [col, col + cols) of the inverse, from the block of rows on that holds its diagonal.
template <typename T>
void invert_columns(const Triangle<T, T>& t, std::int64_t col, int cols) {
    const Lane<T> d;
    const std::int64_t n = t.order;
    const std::int64_t from = col / kSolveRows * kSolveRows;
    for (std::int64_t r = 0; r < from; ++r) {
        for (int j = 0; j < cols; ++j) {
            hn::Store(hn::Zero(d), d, t.x.at(r, col + j));
        }
    }
    for (std::int64_t row = from; row < n; row += kSolveRows) {
        switch (n - row) {
            case 1:
                solve_block<T, T, 1, kSolveCols, true>(t, row, col, cols, from);
                break;
            case 2:
                solve_block<T, T, 2, kSolveCols, true>(t, row, col, cols, from);
                break;
            case 3:
                solve_block<T, T, 3, kSolveCols, true>(t, row, col, cols, from);
                break;
            default:
                solve_block<T, T, kSolveRows, kSolveCols, true>(t, row, col, cols, from);
        }
    }
}

template <typename T>
void invert_lower_typed(const View& l, bool unit, double alpha, const View& x,
                        std::byte* reciprocals) {
    const Lane<T> d;
    const std::int64_t n = x.rows;
    const int step = static_cast<int>(hn::Lanes(d));
    for (int lane = 0; lane < kLanes; lane += step) {
        T* scale = reinterpret_cast<T*>(reciprocals) + lane;
        const Elements<T> to(x, lane);
        const Triangle<T, T> t{Elements<T>(l, lane),   to, to, static_cast<T>(alpha),
                               unit ? nullptr : scale, n};
        if (!unit) {
            store_reciprocals(t, scale);
        }
        for (std::int64_t col = 0; col < n; col += kSolveCols) {
            invert_columns(t, col, static_cast<int>(std::min<std::int64_t>(kSolveCols, n - col)));
        }
    }
}

void invert_lower_all(const View& l, bool unit, double alpha, const View& x,
                      std::byte* reciprocals) {
    with_type(x.type, [&](auto zero) {
        invert_lower_typed<decltype(zero)>(l, unit, alpha, x, reciprocals);
    });
}

void solve_lower_all(const View& l, bool unit, double alpha, const View& b, const View& x,
                     std::byte* reciprocals) {
    if (x.type == ScalarType::float32) {
        solve_lower_typed<float, float>(l, unit, alpha, b, x, reciprocals);
    } else if (b.type == ScalarType::float32) {
        solve_lower_typed<double, float>(l, unit, alpha, b, x, reciprocals);
    } else {
        solve_lower_typed<double, double>(l, unit, alpha, b, x, reciprocals);
    }
}

/// Of each lane: the first bad pivot so far and its number from 1; 0 if there is none.
template <typename T>
struct FirstBad {
    LaneVector<T> number, pivot;
};

/// The `kRows` diagonal entries from `row` on and the triangle between them.
template <typename T, int kRows>
HWY_INLINE FirstBad<T> factor_block(const Elements<T>& a, std::int64_t row, T* reciprocals,
                                    FirstBad<T> first) {
    const Lane<T> d;
    LaneVector<T> sum[kRows][kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j <= i; ++j) {
            sum[i][j] = hn::Load(d, a.at(row + i, row + j));
        }
    }
    for (std::int64_t k = 0; k < row; ++k) {
        LaneVector<T> factor[kRows];
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
            factor[i] = hn::Load(d, a.at(row + i, k));
#pragma GCC unroll 8
            for (int j = 0; j <= i; ++j) {
                sum[i][j] = hn::NegMulAdd(factor[i], factor[j], sum[i][j]);
            }
        }
    }
    const auto largest = hn::Set(d, std::numeric_limits<T>::max());
#pragma GCC unroll 8
    for (int j = 0; j < kRows; ++j) {
        const auto pivot = sum[j][j];
        const auto good = hn::And(hn::Gt(pivot, hn::Zero(d)), hn::Le(pivot, largest));
        const auto fresh = hn::AndNot(good, hn::Eq(first.number, hn::Zero(d)));
        first.number = hn::IfThenElse(fresh, hn::Set(d, static_cast<T>(row + j + 1)), first.number);
        first.pivot = hn::IfThenElse(fresh, pivot, first.pivot);
        const auto root = hn::Sqrt(pivot);
        const auto scale = hn::Div(hn::Set(d, T{1}), root);
        hn::Store(scale, d, reciprocals + (row + j) * kLanes);
        sum[j][j] = root;
#pragma GCC unroll 8
        for (int i = j + 1; i < kRows; ++i) {
            sum[i][j] = hn::Mul(sum[i][j], scale);
        }
#pragma GCC unroll 8
        for (int i = j + 1; i < kRows; ++i) {
#pragma GCC unroll 8
            for (int c = j + 1; c <= i; ++c) {
                sum[i][c] = hn::NegMulAdd(sum[i][j], sum[c][j], sum[i][c]);
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j <= i; ++j) {
            hn::Store(sum[i][j], d, a.at(row + i, row + j));
        }
    }
    return first;
}

template <typename T>
void store_status(const FirstBad<T>& first, std::int32_t* status) {
    HWY_ALIGN T numbers[kLanes];
    HWY_ALIGN T pivots[kLanes];
    const Lane<T> d;
    hn::Store(first.number, d, numbers);
    hn::Store(first.pivot, d, pivots);
    for (std::size_t l = 0; l < hn::Lanes(d); ++l) {
        status[l] =
            numbers[l] == 0 ? 0 : cholesky_status(pivots[l], static_cast<std::int64_t>(numbers[l]));
    }
}

template <typename T>
void potrf_typed(const View& matrix, std::byte* reciprocals, std::int32_t* status) {
    const Lane<T> d;
    const std::int64_t n = matrix.rows;
    const int step = static_cast<int>(hn::Lanes(d));
    for (int lane = 0; lane < kLanes; lane += step) {
        const Elements<T> a(matrix, lane);
        const Elements<T> panel(transposed(matrix), lane);
        T* scale = reinterpret_cast<T*>(reciprocals) + lane;
        FirstBad<T> first{hn::Zero(d), hn::Zero(d)};
        for (std::int64_t row = 0; row < n; row += kSolveRows) {
            const int rows = static_cast<int>(std::min<std::int64_t>(kSolveRows, n - row));
            switch (rows) {
                case 1:
                    first = factor_block<T, 1>(a, row, scale, first);
                    break;
                case 2:
                    first = factor_block<T, 2>(a, row, scale, first);
                    break;
                case 3:
                    first = factor_block<T, 3>(a, row, scale, first);
                    break;
                default:
                    first = factor_block<T, kSolveRows>(a, row, scale, first);
                    // Below: L21 L11' = A21, that is, L11 L21' = A21'.
                    solve_rows<kSolveRows>(Triangle<T, T>{a, panel, panel, T{1}, scale, n}, row,
                                           row + rows, n);
            }
        }
        store_status<T>(first, status + lane);
    }
}

void potrf_all(const View& a, std::byte* reciprocals, std::int32_t* status) {
    if (a.type == ScalarType::float32) {
        potrf_typed<float>(a, reciprocals, status);
    } else {
        potrf_typed<double>(a, reciprocals, status);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(potrf_all);
HWY_EXPORT(solve_lower_all);
HWY_EXPORT(invert_lower_all);
void lane_potrf(const View& a, std::byte* reciprocals, std::int32_t* status) {
    HWY_DYNAMIC_DISPATCH(potrf_all)(a, reciprocals, status);
}
void lane_solve_lower(const View& l, bool unit, double alpha, const View& b, const View& x,
                      std::byte* reciprocals) {
    HWY_DYNAMIC_DISPATCH(solve_lower_all)(l, unit, alpha, b, x, reciprocals);
}
void lane_invert_lower(const View& l, bool unit, double alpha, const View& x,
                       std::byte* reciprocals) {
    HWY_DYNAMIC_DISPATCH(invert_lower_all)(l, unit, alpha, x, reciprocals);
}
}  // namespace matgrad::detail
#endif
