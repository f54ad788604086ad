#include "cuda/library/library_calls.hpp"

namespace matgrad::gpu {
namespace {

cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}

/// A factor of a product in the type the library reads it in.
class Factor {
public:
    Factor(ScalarType type, double value)
        : is_float_(type == ScalarType::float32),
          float_(static_cast<float>(value)),
          double_(value) {}
    [[nodiscard]] const void* get() const {
        return is_float_ ? static_cast<const void*>(&float_) : &double_;
    }
    [[nodiscard]] const float* as_float() const { return &float_; }
    [[nodiscard]] const double* as_double() const { return &double_; }

private:
    bool is_float_;
    float float_;
    double double_;
};

void** pointers_to(StepRun& run, ScalarType type, std::byte* data, std::int64_t stride) {
    DeviceView v;
    v.data = data;
    v.type = type;
    v.batch_stride = stride;
    return run.pointers_to(v);
}

cublasComputeType_t compute_type(ScalarType type, bool tf32) {
    if (type == ScalarType::float64) {
        return CUBLAS_COMPUTE_64F;
    }
    return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cublasStatus_t trsm(cublasHandle_t handle, ScalarType type, cublasSideMode_t side,
                    cublasFillMode_t fill, cublasOperation_t op, std::int64_t m, std::int64_t n,
                    const Factor& alpha, const std::byte* t, std::int64_t t_ld, std::byte* x,
                    std::int64_t x_ld) {
    if (type == ScalarType::float32) {
        return cublasStrsm_64(handle, side, fill, op, CUBLAS_DIAG_NON_UNIT, m, n, alpha.as_float(),
                              reinterpret_cast<const float*>(t), t_ld, reinterpret_cast<float*>(x),
                              x_ld);
    }
    return cublasDtrsm_64(handle, side, fill, op, CUBLAS_DIAG_NON_UNIT, m, n, alpha.as_double(),
                          reinterpret_cast<const double*>(t), t_ld, reinterpret_cast<double*>(x),
                          x_ld);
}

const char* gemm_name(const GemmCall& call) {
    if (call.over_batch) {
        return "gemm that sums over the batch";
    }
    if (call.stacked_rows) {
        return "one gemm over the rows of the batch";
    }
    if (call.stacked_columns) {
        return "one gemm over the columns of the batch";
    }
    if (call.batch == 1) {
        return "gemm";
    }
    return call.is_strided() ? "gemm, strided batch" : "gemm, batch of pointers";
}

}  // namespace

void call_gemm(StepRun& run, ScalarType type, double alpha, const GemmCall& call, double beta) {
    const Factor a(type, alpha);
    const Factor b(type, beta);
    const cudaDataType data = cuda_type(type);
    const cublasOperation_t first = operation(call.first.transposed);
    const cublasOperation_t second = operation(call.second.transposed);
    if (call.is_strided()) {
        run.enqueue(gemm_name(call), [&] {
            MATGRAD_CUDA(cublasGemmStridedBatchedEx_64(
                run.handles->blas(), first, second, call.m, call.n, call.k, a.get(),
                call.first.data, data, call.first.ld, call.first.batch_stride, call.second.data,
                data, call.second.ld, call.second.batch_stride, b.get(), call.result.data, data,
                call.result.ld, call.result.batch_stride, call.batch, compute_type(type, run.tf32),
                CUBLAS_GEMM_DEFAULT));
        });
        return;
    }
    const auto pointers = [&](const GemmMatrix& m) {
        return pointers_to(run, type, m.data, m.batch_stride);
    };
    void** const firsts = pointers(call.first);
    void** const seconds = pointers(call.second);
    void** const results = pointers(call.result);
    // With TF32 the library asks of such pointers what nobody can see before they are followed: that
    // they are aligned to 4 to 16 bytes, by the size.
    run.enqueue(gemm_name(call), [&] {
        MATGRAD_CUDA(cublasGemmBatchedEx_64(
            run.handles->blas(), first, second, call.m, call.n, call.k, a.get(), firsts, data,
            call.first.ld, seconds, data, call.second.ld, b.get(), results, data, call.result.ld,
            call.batch, compute_type(type, false), CUBLAS_GEMM_DEFAULT));
    });
}

void call_syrk(StepRun& run, double alpha, const DeviceView& a, const DeviceView& result) {
    const BlasLayout from = blas_layout(a).value();
    const BlasLayout to = blas_layout(result).value();
    // The lower triangle by rows is the upper one by columns.
    const auto fill = to.by_columns ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER;
    const cublasOperation_t op = operation(!from.by_columns);
    const Factor weight(a.type, alpha);
    const Factor zero(a.type, 0);
    run.enqueue("syrk", [&] {
        cublasHandle_t const blas = run.handles->blas();
        if (a.type == ScalarType::float32) {
            MATGRAD_CUDA(cublasSsyrk_64(blas, fill, op, a.rows, a.cols, weight.as_float(),
                                        reinterpret_cast<const float*>(a.data), from.ld,
                                        zero.as_float(), reinterpret_cast<float*>(result.data),
                                        to.ld));
        } else {
            MATGRAD_CUDA(cublasDsyrk_64(blas, fill, op, a.rows, a.cols, weight.as_double(),
                                        reinterpret_cast<const double*>(a.data), from.ld,
                                        zero.as_double(), reinterpret_cast<double*>(result.data),
                                        to.ld));
        }
    });
}

void call_trsm(StepRun& run, ScalarType type, double alpha, const TrsmCall& call, bool one_by_one) {
    const auto side = call.left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT;
    const auto fill = call.lower ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER;
    const cublasOperation_t op = operation(call.transposed);
    const Factor weight(type, alpha);
    if (call.batch == 1 || one_by_one) {
        const std::int64_t size = size_of(type);
        const char* const name = call.stacked ? "one trsm for the right-hand sides of the batch"
                                 : call.batch == 1 ? "trsm"
                                                   : "trsm of one problem";
        for (std::int64_t p = 0; p < call.batch; ++p) {
            run.enqueue(name, [&] {
                MATGRAD_CUDA(trsm(run.handles->blas(), type, side, fill, op, call.m, call.n, weight,
                                  call.triangle + p * call.triangle_stride * size, call.triangle_ld,
                                  call.x + p * call.x_stride * size, call.x_ld));
            });
        }
        return;
    }
    void** const t = pointers_to(run, type, call.triangle, call.triangle_stride);
    void** const x = pointers_to(run, type, call.x, call.x_stride);
    run.enqueue("trsmBatched", [&] {
        cublasHandle_t const blas = run.handles->blas();
        if (type == ScalarType::float32) {
            MATGRAD_CUDA(cublasStrsmBatched_64(
                blas, side, fill, op, CUBLAS_DIAG_NON_UNIT, call.m, call.n, weight.as_float(),
                reinterpret_cast<const float* const*>(t), call.triangle_ld,
                reinterpret_cast<float* const*>(x), call.x_ld, call.batch));
        } else {
            MATGRAD_CUDA(cublasDtrsmBatched_64(
                blas, side, fill, op, CUBLAS_DIAG_NON_UNIT, call.m, call.n, weight.as_double(),
                reinterpret_cast<const double* const*>(t), call.triangle_ld,
                reinterpret_cast<double* const*>(x), call.x_ld, call.batch));
        }
    });
}

}  // namespace matgrad::gpu
