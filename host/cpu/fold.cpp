#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/fold.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/fold.hpp"
#include "cpu/strip-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Independent folds: enough to hide the latency of an addition.
inline constexpr int kFolds = 4;

template <typename T, ReduceOp kOp>
HWY_INLINE LaneVector<T> fold(LaneVector<T> x, LaneVector<T> y) {
    if constexpr (kOp == ReduceOp::sum) {
        return hn::Add(x, y);
    } else if constexpr (kOp == ReduceOp::max) {
        return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Gt(x, y)), x, y);
    } else {
        return hn::Mul(x, y);
    }
}

template <typename T, ReduceOp kOp>
HWY_INLINE LaneVector<T> fold_folds(const LaneVector<T>* folds) {
    return fold<T, kOp>(fold<T, kOp>(folds[0], folds[1]), fold<T, kOp>(folds[2], folds[3]));
}

/// The first numbers, fewer than a vector; the others leave a fold as it is.
template <typename T>
HWY_INLINE LaneVector<T> load_tail(const T* from, std::int64_t count, LaneVector<T> identity) {
    const auto mask = hn::FirstN(Lane<T>(), static_cast<std::size_t>(count));
    return hn::IfThenElse(mask, load_first<T>(from, count), identity);
}

template <typename T, ReduceOp kOp>
T fold_strip_typed(const T* values, std::int64_t count) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto identity = hn::Set(d, identity_of<T>(kOp));
    LaneVector<T> folds[kFolds] = {identity, identity, identity, identity};
    std::int64_t i = 0;
    for (; i + kFolds * lanes <= count; i += kFolds * lanes) {
#pragma GCC unroll 4
        for (int f = 0; f < kFolds; ++f) {
            folds[f] = fold<T, kOp>(folds[f], hn::LoadU(d, values + i + f * lanes));
        }
    }
    for (; i + lanes <= count; i += lanes) {
        folds[0] = fold<T, kOp>(folds[0], hn::LoadU(d, values + i));
    }
    if (i < count) {
        folds[1] = fold<T, kOp>(folds[1], load_tail<T>(values + i, count - i, identity));
    }
    HWY_ALIGN T last[kLanes];
    hn::Store(fold_folds<T, kOp>(folds), d, last);
    // By halves, as the vectors above.
    for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
        for (std::int64_t l = 0; l < half; ++l) {
            last[l] = fold_two(kOp, last[l], last[l + half]);
        }
    }
    return last[0];
}

/// One vector of columns, or its first `count`.
template <typename T, ReduceOp kOp, bool kWhole>
HWY_INLINE void fold_column(T* folds, const T* values, std::int64_t rows, std::int64_t width,
                            std::int64_t count) {
    const Lane<T> d;
    const auto identity = hn::Set(d, identity_of<T>(kOp));
    const auto row = [&](std::int64_t r) HWY_ATTR {
        return kWhole ? hn::LoadU(d, values + r * width)
                      : load_tail<T>(values + r * width, count, identity);
    };
    LaneVector<T> part[kFolds] = {hn::LoadU(d, folds), identity, identity, identity};
    std::int64_t r = 0;
    for (; r + kFolds <= rows; r += kFolds) {
#pragma GCC unroll 4
        for (int f = 0; f < kFolds; ++f) {
            part[f] = fold<T, kOp>(part[f], row(r + f));
        }
    }
    if (rows >= kFolds) {
        part[0] = fold_folds<T, kOp>(part);
    }
    for (; r < rows; ++r) {
        part[0] = fold<T, kOp>(part[0], row(r));
    }
    hn::StoreU(part[0], d, folds);
}

template <typename T, ReduceOp kOp>
void fold_rows_typed(T* folds, const T* values, std::int64_t rows, std::int64_t width) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Lane<T>()));
    std::int64_t c = 0;
    for (; c + lanes <= width; c += lanes) {
        fold_column<T, kOp, true>(folds + c, values + c, rows, width, lanes);
    }
    if (c < width) {
        fold_column<T, kOp, false>(folds + c, values + c, rows, width, width - c);
    }
}

/// As many rows as a vector has lanes: their folds, transposed, are folded to one vector. Of fewer rows
/// the fold of the last one is repeated, so that all take the same way.
template <typename T, ReduceOp kOp>
HWY_NOINLINE void fold_square(const T* values, std::int64_t rows, std::int64_t cols, T* folds) {
    const Lane<T> d;
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const auto identity = hn::Set(d, identity_of<T>(kOp));
    LaneVector<T> part[lanes];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < lanes; ++i) {
        if (i > 0 && i >= rows) {
            part[i] = part[i - 1];
            continue;
        }
        const T* row = values + i * cols;
        part[i] = identity;
        std::int64_t c = 0;
        for (; c + lanes <= cols; c += lanes) {
            part[i] = fold<T, kOp>(part[i], hn::LoadU(d, row + c));
        }
        if (c < cols) {
            part[i] = fold<T, kOp>(part[i], load_tail<T>(row + c, cols - c, identity));
        }
    }
    transpose_square<T>(part);
#pragma GCC unroll 4
    for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (std::int64_t i = 0; i < half; ++i) {
            part[i] = fold<T, kOp>(part[i], part[i + half]);
        }
    }
    HWY_ALIGN T all[lanes];
    hn::Store(part[0], d, all);
    std::copy_n(all, rows, folds);
}

template <typename T, ReduceOp kOp>
void fold_each_row_typed(const T* values, std::int64_t rows, std::int64_t cols, T* folds) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    for (std::int64_t r = 0; r < rows; r += lanes) {
        fold_square<T, kOp>(values + r * cols, std::min(lanes, rows - r), cols, folds + r);
    }
}

template <typename T>
HWY_INLINE void fold_each_row_by(ReduceOp op, const T* values, std::int64_t rows, std::int64_t cols,
                                 T* folds) {
    switch (op) {
        case ReduceOp::sum:
        case ReduceOp::norm:
            return fold_each_row_typed<T, ReduceOp::sum>(values, rows, cols, folds);
        case ReduceOp::max:
            return fold_each_row_typed<T, ReduceOp::max>(values, rows, cols, folds);
        case ReduceOp::product:
        case ReduceOp::signed_product:
            return fold_each_row_typed<T, ReduceOp::product>(values, rows, cols, folds);
    }
}
void fold_each_row_float(ReduceOp op, const float* values, std::int64_t rows, std::int64_t cols,
                         float* folds) {
    fold_each_row_by(op, values, rows, cols, folds);
}
void fold_each_row_double(ReduceOp op, const double* values, std::int64_t rows, std::int64_t cols,
                          double* folds) {
    fold_each_row_by(op, values, rows, cols, folds);
}

template <typename T>
HWY_INLINE T fold_strip_by(ReduceOp op, const T* values, std::int64_t count) {
    switch (op) {
        case ReduceOp::sum:
            return fold_strip_typed<T, ReduceOp::sum>(values, count);
        case ReduceOp::max:
            return fold_strip_typed<T, ReduceOp::max>(values, count);
        default:
            return fold_strip_typed<T, ReduceOp::product>(values, count);
    }
}
float fold_strip_float(ReduceOp op, const float* values, std::int64_t count) {
    return fold_strip_by(op, values, count);
}
double fold_strip_double(ReduceOp op, const double* values, std::int64_t count) {
    return fold_strip_by(op, values, count);
}

template <typename T>
HWY_INLINE void fold_rows_by(ReduceOp op, T* folds, const T* values, std::int64_t rows,
                             std::int64_t width) {
    switch (op) {
        case ReduceOp::sum:
            return fold_rows_typed<T, ReduceOp::sum>(folds, values, rows, width);
        case ReduceOp::max:
            return fold_rows_typed<T, ReduceOp::max>(folds, values, rows, width);
        default:
            return fold_rows_typed<T, ReduceOp::product>(folds, values, rows, width);
    }
}
void fold_rows_float(ReduceOp op, float* folds, const float* values, std::int64_t rows,
                     std::int64_t width) {
    fold_rows_by(op, folds, values, rows, width);
}
void fold_rows_double(ReduceOp op, double* folds, const double* values, std::int64_t rows,
                      std::int64_t width) {
    fold_rows_by(op, folds, values, rows, width);
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(fold_strip_float);
HWY_EXPORT(fold_strip_double);
HWY_EXPORT(fold_each_row_float);
HWY_EXPORT(fold_each_row_double);
HWY_EXPORT(fold_rows_float);
HWY_EXPORT(fold_rows_double);
float fold_strip(ReduceOp op, const float* values, std::int64_t count) {
    return HWY_DYNAMIC_DISPATCH(fold_strip_float)(op, values, count);
}
double fold_strip(ReduceOp op, const double* values, std::int64_t count) {
    return HWY_DYNAMIC_DISPATCH(fold_strip_double)(op, values, count);
}
void fold_each_row(ReduceOp op, const float* values, std::int64_t rows, std::int64_t cols,
                   float* folds) {
    HWY_DYNAMIC_DISPATCH(fold_each_row_float)(op, values, rows, cols, folds);
}
void fold_each_row(ReduceOp op, const double* values, std::int64_t rows, std::int64_t cols,
                   double* folds) {
    HWY_DYNAMIC_DISPATCH(fold_each_row_double)(op, values, rows, cols, folds);
}
void fold_rows(ReduceOp op, float* folds, const float* values, std::int64_t rows,
               std::int64_t width) {
    HWY_DYNAMIC_DISPATCH(fold_rows_float)(op, folds, values, rows, width);
}
void fold_rows(ReduceOp op, double* folds, const double* values, std::int64_t rows,
               std::int64_t width) {
    HWY_DYNAMIC_DISPATCH(fold_rows_double)(op, folds, values, rows, width);
}
}  // namespace matgrad::detail
#endif
