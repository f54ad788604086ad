#pragma once
/// \file Sums, products and maxima of strips of numbers. A maximum is NaN if any number is; of no
/// number it is -infinity.

#include <cmath>
#include <cstdint>
#include <limits>

#include "program/program.hpp"

namespace matgrad::detail {

/// How the terms of a reduction are folded: squares of a norm are added.
[[nodiscard]] constexpr ReduceOp fold_of(ReduceOp op) {
    return op == ReduceOp::norm ? ReduceOp::sum : op;
}

/// What leaves a number as it is. (A signed product is a product here.)
template <typename T>
[[nodiscard]] T identity_of(ReduceOp op) {
    return op == ReduceOp::sum   ? T{0}
           : op == ReduceOp::max ? -std::numeric_limits<T>::infinity()
                                 : T{1};
}

template <typename T>
[[nodiscard]] T fold_two(ReduceOp op, T x, T y) {
    if (op == ReduceOp::max) {
        return x > y || std::isnan(x) ? x : y;
    }
    return op == ReduceOp::sum ? x + y : x * y;
}

/// All of `count` numbers.
[[nodiscard]] float fold_strip(ReduceOp op, const float* values, std::int64_t count);
[[nodiscard]] double fold_strip(ReduceOp op, const double* values, std::int64_t count);

/// folds[r] = all numbers of row r: `rows` rows of `cols` numbers. The bits of a fold depend on its own
/// row alone.
void fold_each_row(ReduceOp op, const float* values, std::int64_t rows, std::int64_t cols,
                   float* folds);
void fold_each_row(ReduceOp op, const double* values, std::int64_t rows, std::int64_t cols,
                   double* folds);

/// folds[i] = folds[i] (op) values[i] (op) values[width + i] (op) ...: `rows` rows of `width`
/// numbers. `folds` has room for kStripRoom numbers beyond its width, which are lost.
void fold_rows(ReduceOp op, float* folds, const float* values, std::int64_t rows,
               std::int64_t width);
void fold_rows(ReduceOp op, double* folds, const double* values, std::int64_t rows,
               std::int64_t width);

}  // namespace matgrad::detail
