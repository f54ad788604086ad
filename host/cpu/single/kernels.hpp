#pragma once
/// \file The kernels of single problems, by type and size class. Each is compiled for every instruction set;
/// which one is chosen here, once.
///
/// All matrices of a step have one type. `out` overlaps nothing that is read, and rows of it lie together
/// (Placed::has_rows) where rows of b have to.

#include "cpu/single/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// out = alpha*a*b + beta*c. Rows of b and c lie together; c is not read where beta is 0.
[[nodiscard]] SingleKernel single_gemm(ScalarType type, std::int32_t cols);
/// The same of a column: rows of a lie together, and so does b.
[[nodiscard]] SingleKernel single_gemv(ScalarType type, std::int32_t inner);
/// inv(a)*alpha*b with a lower triangular; c are the reciprocals of its diagonal, as a column, or without rows
/// where that is 1. Rows of b lie together.
[[nodiscard]] SingleKernel single_trsm(ScalarType type, std::int32_t order, std::int32_t cols);
/// out, the lower triangle, = the Cholesky factor of a, of which the lower triangle is read; c, a column, = the
/// reciprocals of its diagonal. Returns the status; where `code` is 1, none, and what has no factor has NaN. With
/// `care`, b is the root (care.hpp).
[[nodiscard]] SingleKernel single_potrf(ScalarType type, std::int32_t order);
/// c, a column, = the reciprocals of the diagonal of a.
[[nodiscard]] SingleKernel single_reciprocals(ScalarType type);
/// out = L and U of a with rows swapped, c = the swaps as numbers: Getrf. `code` is 1 where a pivot that is not finite
/// fails, 2 where one that is zero does too.
[[nodiscard]] SingleKernel single_getrf(ScalarType type);
/// Swaps rows of out by the pivots c, in order or, where `code` is 1, backwards.
[[nodiscard]] SingleKernel single_swap(ScalarType type);

/// out = alpha * the sum of all entries of a, or of those of a.*b. Rows lie together.
[[nodiscard]] SingleKernel single_sum(ScalarType type, std::int32_t cols);
[[nodiscard]] SingleKernel single_dot(ScalarType type, std::int32_t cols);
/// out = alpha * the sum of log(a), whatever its strides.
[[nodiscard]] SingleKernel single_log_sum(ScalarType type);
/// out = alpha * the reduction `code`, a ReduceOp, over each row of a, or over all of it where out is 1-by-1: then the
/// pivots c decide the sign of a signed product.
[[nodiscard]] SingleKernel single_reduce(ScalarType type);
/// out = the MapOp `code` of a (and b) with the number alpha: all have the rows of out, one behind the other.
[[nodiscard]] SingleKernel single_map(ScalarType type);
/// out = alpha everywhere.
[[nodiscard]] SingleKernel single_fill(ScalarType type);
/// out = 1 where the MapOp `code` says so of the place, else 0.
[[nodiscard]] SingleKernel single_positions(ScalarType type);
/// out = a, whatever their types and strides; strides of a may be 0.
[[nodiscard]] SingleKernel single_copy(ScalarType from, ScalarType to);

/// A matrix of the caller's: entry (r, c) is r*row_stride + c*col_stride numbers behind `data`. An operand is only ever
/// read through one.
struct CallersMatrix {
    std::byte* data;
    std::int64_t row_stride, col_stride;
};
/// Copies between matrices of the caller's and the frame's.
using SinglePack = void (*)(const CallersMatrix& from, std::byte* frame, const Placed& to);
using SingleUnpack = void (*)(std::byte* frame, const Placed& from, const CallersMatrix& to);
[[nodiscard]] SinglePack single_pack(ScalarType from, ScalarType to);
[[nodiscard]] SingleUnpack single_unpack(ScalarType from, ScalarType to);

}  // namespace matgrad::detail
