#include "library.hpp"

#include <algorithm>

namespace matgrad::probe {
namespace {

constexpr float kOneFloat = 1, kZeroFloat = 0;
constexpr double kOneDouble = 1, kZeroDouble = 0;

const void* one(Type type) {
    return type == Type::f64 ? static_cast<const void*>(&kOneDouble) : &kOneFloat;
}
const void* zero(Type type) {
    return type == Type::f64 ? static_cast<const void*>(&kZeroDouble) : &kZeroFloat;
}
cudaDataType data_type(Type type) {
    return type == Type::f64 ? CUDA_R_64F : CUDA_R_32F;
}
cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}
int as_int(Size size) {
    return static_cast<int>(size);
}

cublasComputeType_t compute_type(Type type) {
    switch (type) {
        case Type::f64:
            return CUBLAS_COMPUTE_64F;
        case Type::tf32:
            return CUBLAS_COMPUTE_32F_FAST_TF32;
        case Type::f32:
        case Type::i32:
            break;
    }
    return CUBLAS_COMPUTE_32F;
}

/// As T*, as T** and so on.
template <typename To>
To as(void* data) {
    return static_cast<To>(data);
}
template <typename To>
To* const* pointers(void** data) {
    return reinterpret_cast<To* const*>(data);
}

}  // namespace

const char* name_of(Type type) {
    switch (type) {
        case Type::f64:
            return "f64";
        case Type::tf32:
            return "tf32";
        case Type::i32:
            return "i32";
        case Type::f32:
            break;
    }
    return "f32";
}

std::size_t size_of(Type type) {
    return type == Type::f64 ? 8 : 4;
}

GemmShape packed_gemm(Type type, bool ta, bool tb, Size m, Size n, Size k, Size batch) {
    return {type, ta, tb, m, n, k, ta ? k : m, tb ? n : k, m, batch};
}

void gemm(const Handles& handles, const GemmShape& s, const void* a, const void* b, void* c) {
    gemm(handles, s, a, s.m * s.k, b, s.k * s.n, c, s.m * s.n);
}

void gemm(const Handles& handles, const GemmShape& s, const void* a, Size a_stride, const void* b,
          Size b_stride, void* c, Size c_stride) {
    const cudaDataType data = data_type(s.type);
    MATGRAD_PROBE(cublasGemmStridedBatchedEx_64(
        handles.blas(), operation(s.ta), operation(s.tb), s.m, s.n, s.k, one(s.type), a, data,
        s.lda, a_stride, b, data, s.ldb, b_stride, zero(s.type), c, data, s.ldc, c_stride, s.batch,
        compute_type(s.type), CUBLAS_GEMM_DEFAULT));
}

void gemm_alone(const Handles& handles, const GemmShape& s, const void* a, const void* b, void* c) {
    const cudaDataType data = data_type(s.type);
    MATGRAD_PROBE(cublasGemmEx_64(handles.blas(), operation(s.ta), operation(s.tb), s.m, s.n, s.k,
                                  one(s.type), a, data, s.lda, b, data, s.ldb, zero(s.type), c,
                                  data, s.ldc, compute_type(s.type), CUBLAS_GEMM_DEFAULT));
}

void gemm_pointers(const Handles& handles, const GemmShape& s, void** a, void** b, void** c) {
    const cudaDataType data = data_type(s.type);
    MATGRAD_PROBE(cublasGemmBatchedEx_64(handles.blas(), operation(s.ta), operation(s.tb), s.m, s.n,
                                         s.k, one(s.type), a, data, s.lda, b, data, s.ldb,
                                         zero(s.type), c, data, s.ldc, s.batch,
                                         compute_type(s.type), CUBLAS_GEMM_DEFAULT));
}

void syrk(const Handles& handles, Type type, cublasOperation_t op, Size n, Size k, const void* a,
          void* c) {
    const Size lda = op == CUBLAS_OP_N ? n : k;
    if (type == Type::f64) {
        MATGRAD_PROBE(cublasDsyrk_64(handles.blas(), CUBLAS_FILL_MODE_UPPER, op, n, k, &kOneDouble,
                                     static_cast<const double*>(a), lda, &kZeroDouble,
                                     as<double*>(c), n));
    } else {
        MATGRAD_PROBE(cublasSsyrk_64(handles.blas(), CUBLAS_FILL_MODE_UPPER, op, n, k, &kOneFloat,
                                     static_cast<const float*>(a), lda, &kZeroFloat, as<float*>(c),
                                     n));
    }
}

void trsm(const Handles& handles, const TrsmShape& s, const void* triangle, void* x) {
    if (s.type == Type::f64) {
        MATGRAD_PROBE(cublasDtrsm_64(handles.blas(), s.side, s.fill, s.op, CUBLAS_DIAG_NON_UNIT,
                                     s.m, s.n, &kOneDouble, static_cast<const double*>(triangle),
                                     s.order(), as<double*>(x), s.ld_of_x()));
    } else {
        MATGRAD_PROBE(cublasStrsm_64(handles.blas(), s.side, s.fill, s.op, CUBLAS_DIAG_NON_UNIT,
                                     s.m, s.n, &kOneFloat, static_cast<const float*>(triangle),
                                     s.order(), as<float*>(x), s.ld_of_x()));
    }
}

void trsm_batched(const Handles& handles, const TrsmShape& s, void** triangles, void** x) {
    if (s.type == Type::f64) {
        MATGRAD_PROBE(cublasDtrsmBatched_64(handles.blas(), s.side, s.fill, s.op,
                                            CUBLAS_DIAG_NON_UNIT, s.m, s.n, &kOneDouble,
                                            pointers<const double>(triangles), s.order(),
                                            pointers<double>(x), s.ld_of_x(), s.batch));
    } else {
        MATGRAD_PROBE(cublasStrsmBatched_64(
            handles.blas(), s.side, s.fill, s.op, CUBLAS_DIAG_NON_UNIT, s.m, s.n, &kOneFloat,
            pointers<const float>(triangles), s.order(), pointers<float>(x), s.ld_of_x(), s.batch));
    }
}

void getrf_batched(const Handles& handles, Type type, Size n, void** a, int* pivots, int* info,
                   Size batch) {
    if (type == Type::f64) {
        MATGRAD_PROBE(cublasDgetrfBatched(handles.blas(), as_int(n), pointers<double>(a), as_int(n),
                                          pivots, info, as_int(batch)));
    } else {
        MATGRAD_PROBE(cublasSgetrfBatched(handles.blas(), as_int(n), pointers<float>(a), as_int(n),
                                          pivots, info, as_int(batch)));
    }
}

void getrs_batched(const Handles& handles, Type type, cublasOperation_t op, Size n, Size sides,
                   void** lu, const int* pivots, void** x, Size batch) {
    int info = 0;  // of the arguments, on the host
    if (type == Type::f64) {
        MATGRAD_PROBE(cublasDgetrsBatched(handles.blas(), op, as_int(n), as_int(sides),
                                          pointers<const double>(lu), as_int(n), pivots,
                                          pointers<double>(x), as_int(n), &info, as_int(batch)));
    } else {
        MATGRAD_PROBE(cublasSgetrsBatched(handles.blas(), op, as_int(n), as_int(sides),
                                          pointers<const float>(lu), as_int(n), pivots,
                                          pointers<float>(x), as_int(n), &info, as_int(batch)));
    }
}

void potrf_batched(const Handles& handles, Type type, cublasFillMode_t fill, Size n, void** a,
                   int* info, Size batch) {
    if (type == Type::f64) {
        MATGRAD_PROBE(cusolverDnDpotrfBatched(handles.solver(), fill, as_int(n),
                                              reinterpret_cast<double**>(a), as_int(n), info,
                                              as_int(batch)));
    } else {
        MATGRAD_PROBE(cusolverDnSpotrfBatched(handles.solver(), fill, as_int(n),
                                              reinterpret_cast<float**>(a), as_int(n), info,
                                              as_int(batch)));
    }
}

SolverBytes potrf_bytes(const Handles& handles, Type type, cublasFillMode_t fill, Size n) {
    SolverBytes needed;
    const cudaDataType data = data_type(type);
    MATGRAD_PROBE(cusolverDnXpotrf_bufferSize(handles.solver(), handles.parameters(), fill, n, data,
                                              nullptr, n, data, &needed.device, &needed.host));
    return needed;
}

SolverBytes getrf_bytes(const Handles& handles, Type type, Size n) {
    SolverBytes needed;
    const cudaDataType data = data_type(type);
    MATGRAD_PROBE(cusolverDnXgetrf_bufferSize(handles.solver(), handles.parameters(), n, n, data,
                                              nullptr, n, data, &needed.device, &needed.host));
    return needed;
}

SolverScratch::SolverScratch(const SolverBytes& needed)
    : device(needed.device), host(std::max<std::size_t>(needed.host, 1)) {
    host.resize(needed.host);
}

void potrf(const Handles& handles, Type type, cublasFillMode_t fill, Size n, void* a,
           SolverScratch& scratch, int* info) {
    const cudaDataType data = data_type(type);
    MATGRAD_PROBE(cusolverDnXpotrf(handles.solver(), handles.parameters(), fill, n, data, a, n,
                                   data, scratch.device.data(), scratch.device.bytes(),
                                   scratch.host.data(), scratch.host.size(), info));
}

void getrf(const Handles& handles, Type type, Size n, void* a, std::int64_t* pivots,
           SolverScratch& scratch, int* info) {
    const cudaDataType data = data_type(type);
    MATGRAD_PROBE(cusolverDnXgetrf(handles.solver(), handles.parameters(), n, n, data, a, n, pivots,
                                   data, scratch.device.data(), scratch.device.bytes(),
                                   scratch.host.data(), scratch.host.size(), info));
}

void getrs(const Handles& handles, Type type, cublasOperation_t op, Size n, Size sides,
           const void* lu, const std::int64_t* pivots, void* x, int* info) {
    const cudaDataType data = data_type(type);
    MATGRAD_PROBE(cusolverDnXgetrs(handles.solver(), handles.parameters(), op, n, sides, data, lu,
                                   n, pivots, data, x, n, info));
}

}  // namespace matgrad::probe
