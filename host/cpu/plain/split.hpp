#pragma once
/// \file Large products, solves and Cholesky factorizations in panels.
///
/// A single large problem keeps several cores busy by its panels. Where the panels lie depends on
/// the shape alone, and a panel is one BLAS call on one thread: so the bits of a result do not
/// depend on how many threads there were. Small shapes are one panel.

#include <cstdint>

#include "cpu/plain/blas.hpp"
#include "cpu/scratch.hpp"

namespace matgrad::detail {

/// A Product, on up to `threads` threads.
void split_gemm(int threads, double alpha, const View& a, const View& b, double beta,
                const View& c, Scratch& scratch);
/// A VectorProduct, on up to `threads` threads.
void split_gemv(int threads, double alpha, const View& a, const View& x, double beta,
                const View& y, Scratch& scratch);
/// As blas_syrk, blas_trsm and blas_potrf, on up to `threads` threads.
void split_syrk(int threads, double alpha, const View& a, const View& c);
void split_trsm(int threads, Side side, bool lower, bool transposed, bool unit, double alpha,
                const View& t, const View& x);
std::int32_t split_potrf(int threads, const View& a);

}  // namespace matgrad::detail
