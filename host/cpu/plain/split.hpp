#pragma once
/// \file Products, solves and Cholesky factorizations of any size, in panels.
///
/// A single large problem keeps several cores busy by its panels. Where the panels lie depends on
/// the shape alone, and a panel is worked off on one thread: so the bits of a result do not depend
/// on how many threads there were. What is of middle size is done by the kernels of triangle.hpp and
/// gram.hpp, what is large by BLAS calls that leave those kernels the blocks on the diagonal.

#include <cstdint>

#include "cpu/plain/blas.hpp"
#include "cpu/scratch.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {

/// Products with no size below it are a BLAS's own field: it blocks them for every cache.
inline constexpr std::int64_t kBlasSize = 768;

/// A Product, or a BLAS call a panel where all sizes are large, on up to `threads` threads.
void split_gemm(const Threads& threads, double alpha, const View& a, const View& b, double beta,
                const View& c, Scratch& scratch);
/// A VectorProduct, on up to `threads` threads.
void split_gemv(const Threads& threads, double alpha, const View& a, const View& x, double beta,
                const View& y, Scratch& scratch);

/// Lower triangle of c = alpha * a * a', and with `mirror` both; `scratch` has
/// gram_scratch_bytes. a, of any strides where is_middle_gram and else blas_readable, and c are of
/// types no wider than `type`, and of just that where not is_middle_gram.
void split_syrk(const Threads& threads, ScalarType type, double alpha, const View& a, bool mirror,
                const View& c, std::byte* scratch);

/// What split_trsm and split_potrf need for n rows.
[[nodiscard]] std::int64_t split_scratch_bytes(std::int64_t n);

/// to = alpha * op(t)^-1 from (left) or alpha * from op(t)^-1 (right). Where t has at most kTriangle
/// rows, all views are of any strides and types no wider than `type`; else all are of `type`, t is
/// blas_readable and `to`, row-major, is `from`.
void split_trsm(const Threads& threads, ScalarType type, Side side, bool lower, bool transposed,
                bool unit, double alpha, const View& t, const View& from, const View& to,
                std::byte* scratch);

/// The lower triangle of `to` becomes the Cholesky factor of that of `from`; what is above its
/// diagonal is lost. Views as for split_trsm. Returns 0 or the status of the first pivot that is
/// not finite and positive.
std::int32_t split_potrf(const Threads& threads, ScalarType type, const View& from, const View& to,
                         std::byte* scratch);

}  // namespace matgrad::detail
