#pragma once
/// \file The BLAS and LAPACK calls of the plain layout, on views of one lane.
///
/// All operands of a call have one type. Results are row-major with unit column stride; operands are
/// `blas_readable`. Nothing here is ever empty. The BLAS library's own threads are kept at one while
/// a BlasThreads lives, since the batch (or a split of one large problem) keeps the cores busy, and
/// since its split of a product would make results depend on the number of threads.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// Sets the BLAS library to one thread; the last one to end restores what it found.
class BlasThreads {
public:
    BlasThreads();
    ~BlasThreads();
    BlasThreads(const BlasThreads&) = delete;
    BlasThreads& operator=(const BlasThreads&) = delete;
};

/// Unit row or column stride, and the other stride no less than that dimension.
[[nodiscard]] bool blas_readable(const View& v);

/// c = alpha * a * b + beta * c; beta 0 does not read c.
void blas_gemm(double alpha, const View& a, const View& b, double beta, const View& c);
/// Lower triangle of c = alpha * a * a' + beta * c; beta 0 does not read c.
void blas_syrk(double alpha, const View& a, double beta, const View& c);
/// x = alpha * op(t)^-1 x (left) or alpha * x op(t)^-1 (right).
void blas_trsm(Side side, bool lower, bool transposed, bool unit, double alpha, const View& t,
               const View& x);
/// a, of double, is stored by columns and has at least as many rows as columns: its upper triangle becomes that
/// of its QR factorization, what is below is lost. `work` has blas_geqrf_bytes.
void blas_geqrf(const View& a, std::byte* work);
[[nodiscard]] std::int64_t blas_geqrf_bytes(std::int64_t cols);
/// a is stored by columns (unit row stride) and becomes LU; pivots as LAPACK gives them, from 1.
void blas_getrf(const View& a, std::int32_t* pivots);

}  // namespace matgrad::detail
