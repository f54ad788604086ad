#pragma once
/// \file Kernels of the compact layout: one SIMD lane is one problem.
///
/// All of them work on views with kLanes lanes (where said, also on a shared view with one lane) and
/// never mix lanes, so what one problem holds cannot reach another. Because an element is a whole
/// vector, row and column strides cost nothing: transposed and reversed operands are views.
/// Compiled for several instruction sets; the best one the machine has is chosen at run time.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// out = alpha * a * b + beta * c, computed in `type`.
struct LaneGemm {
    ScalarType type = ScalarType::float64;
    View a;  ///< lanes; its type no wider than `type`
    View b;  ///< lanes, no wider than `type`; or shared, of exactly `type`
    View c;  ///< anything; null data if absent
    double alpha = 1;
    double beta = 0;
    View out;                 ///< lanes, any type and strides; may be c, overlaps neither a nor b
    bool lower_only = false;  ///< write row >= col alone
    bool mirror = false;      ///< with lower_only: also write the transposed entry
    bool upper = false;       ///< a is upper triangular, b is a': zeros are not multiplied
    /// So many products, each with its operands so many bytes behind those of the one before.
    std::int64_t groups = 1;
    std::int64_t a_group = 0, b_group = 0, c_group = 0, out_group = 0;
};
void lane_gemm(const LaneGemm& call);

/// In place: the lower triangle of a becomes its Cholesky factor; the rest is not touched.
/// `status[l]` becomes the status of lane l: 0, or that of its first bad pivot.
/// `reciprocals` holds a.rows elements of lanes.
void lane_potrf(const View& a, std::byte* reciprocals, std::int32_t* status);

/// l becomes the Cholesky factor of root' root, zeros above its diagonal: the triangle of the QR factorization
/// of root, with a positive diagonal. Both in double; root has at least as many rows as columns and is lost.
void lane_root_factor(const View& root, const View& l);

/// x = alpha L^-1 b, with L the lower triangle of `l`, of x's type. b is of lanes and no wider than
/// x; it may be x itself and overlaps it in no other way. `reciprocals` holds x.rows elements of
/// lanes.
void lane_solve_lower(const View& l, bool unit, double alpha, const View& b, const View& x,
                      std::byte* reciprocals);
/// x = alpha L^-1, zeros above its diagonal, otherwise the same.
void lane_invert_lower(const View& l, bool unit, double alpha, const View& x,
                       std::byte* reciprocals);

/// In place LU with partial pivoting in each lane; the larger of equal candidates with the smaller
/// row wins and a NaN beats all. `pivots` is n-by-1 of lanes, of a's type. `bad[l]`: status of the first
/// pivot that is not finite, or 0; `zero[l]`: that of the first that is zero.
void lane_getrf(const View& a, const View& pivots, std::int32_t* bad, std::int32_t* zero);

/// to = from, converted; `from` has kLanes lanes or one (then it is spread), equal shapes.
void lane_convert(const View& from, const View& to);

/// Gathers one matrix of each of kLanes problems into a row-major compact value.
/// `sources` gives the address of element (0, 0) in each problem; strides are in elements.
void lane_pack(const std::byte* const* sources, std::int64_t row_stride, std::int64_t col_stride,
               const View& to);
/// The reverse for the first `count` lanes. `stream`: write past the caches; call `lane_flush` before
/// another thread reads.
void lane_unpack(const View& from, int count, std::byte* const* targets, std::int64_t row_stride,
                 std::int64_t col_stride, bool stream);
void lane_flush();

/// sums[e] += sum over lanes with keep[l] of element e, row by row, in double and in a fixed order.
void lane_sum(const View& from, const bool* keep, double* sums);

}  // namespace matgrad::detail
