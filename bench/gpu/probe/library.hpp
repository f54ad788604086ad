#pragma once
/// \file The calls of the libraries as matgrad makes them: 64-bit sizes where there are such functions,
/// alpha 1 and beta 0 on the host. Matrices are column-major here, so what matgrad stores by rows is a
/// transpose: its lower triangle is the upper one.

#include <cstddef>
#include <cstdint>

#include "device.hpp"

namespace matgrad::probe {

/// i32 is that of codes and pivots, never of matrices.
enum class Type { f32, f64, tf32, i32 };

[[nodiscard]] const char* name_of(Type type);
[[nodiscard]] std::size_t size_of(Type type);

using Size = std::int64_t;

/// C = op(A) op(B), m x n with k terms.
struct GemmShape {
    Type type = Type::f32;
    bool ta = false, tb = false;
    Size m = 1, n = 1, k = 1;
    Size lda = 1, ldb = 1, ldc = 1;
    Size batch = 1;
};
/// Leading dimensions of matrices without gaps.
[[nodiscard]] GemmShape packed_gemm(Type type, bool ta, bool tb, Size m, Size n, Size k,
                                    Size batch);

/// Strides are in entries; those of gemm() are of matrices without gaps.
void gemm(const Handles& handles, const GemmShape& shape, const void* a, const void* b, void* c);
void gemm(const Handles& handles, const GemmShape& shape, const void* a, Size a_stride,
          const void* b, Size b_stride, void* c, Size c_stride);
/// The call for one problem, which matgrad does not make.
void gemm_alone(const Handles& handles, const GemmShape& shape, const void* a, const void* b,
                void* c);
void gemm_pointers(const Handles& handles, const GemmShape& shape, void** a, void** b, void** c);

/// C = op(A) op(A)', the upper triangle; op(A) is n x k, without gaps.
void syrk(const Handles& handles, Type type, cublasOperation_t op, Size n, Size k, const void* a,
          void* c);

/// Solves with a triangle of order m (left) or n (right) for the m x n matrix X, which is overwritten.
struct TrsmShape {
    Type type = Type::f32;
    cublasSideMode_t side = CUBLAS_SIDE_LEFT;
    cublasFillMode_t fill = CUBLAS_FILL_MODE_UPPER;
    cublasOperation_t op = CUBLAS_OP_N;
    Size m = 1, n = 1;
    Size batch = 1;
    Size ldx = 0;  ///< 0: X has no gaps
    [[nodiscard]] Size ld_of_x() const { return ldx > 0 ? ldx : m; }
    [[nodiscard]] Size order() const { return side == CUBLAS_SIDE_LEFT ? m : n; }
};
void trsm(const Handles& handles, const TrsmShape& shape, const void* triangle, void* x);
void trsm_batched(const Handles& handles, const TrsmShape& shape, void** triangles, void** x);

void getrf_batched(const Handles& handles, Type type, Size n, void** a, int* pivots, int* info,
                   Size batch);
void getrs_batched(const Handles& handles, Type type, cublasOperation_t op, Size n, Size sides,
                   void** lu, const int* pivots, void** x, Size batch);
void potrf_batched(const Handles& handles, Type type, cublasFillMode_t fill, Size n, void** a,
                   int* info, Size batch);

struct SolverBytes {
    std::size_t device = 0, host = 0;
};
[[nodiscard]] SolverBytes potrf_bytes(const Handles& handles, Type type, cublasFillMode_t fill,
                                      Size n);
[[nodiscard]] SolverBytes getrf_bytes(const Handles& handles, Type type, Size n);

/// Buffers of one call of the 64-bit functions of cuSOLVER.
struct SolverScratch {
    explicit SolverScratch(const SolverBytes& needed);
    Buffer device;
    std::vector<std::byte> host;
};
void potrf(const Handles& handles, Type type, cublasFillMode_t fill, Size n, void* a,
           SolverScratch& scratch, int* info);
void getrf(const Handles& handles, Type type, Size n, void* a, std::int64_t* pivots,
           SolverScratch& scratch, int* info);
void getrs(const Handles& handles, Type type, cublasOperation_t op, Size n, Size sides,
           const void* lu, const std::int64_t* pivots, void* x, int* info);

}  // namespace matgrad::probe
