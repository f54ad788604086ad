#include "cholesky.hpp"
#include "cuda/library/library_calls.hpp"
#include "cuda/library/step_status.hpp"

namespace matgrad::gpu {
namespace {

int as_int(std::int64_t size) {
    return static_cast<int>(size);  // StepSetup::check_fits_int
}

cublasFillMode_t lower_triangle(const BlasLayout& layout) {
    return layout.by_columns ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER;
}

}  // namespace

void call_own_cholesky(StepRun& run, const DeviceView& a) {
    run.enqueue("Cholesky kernel of a block each",
                [&] { factor_cholesky(as_matrices(a), run.batch, run.stream); });
}

void call_potrf_batched(StepRun& run, const DeviceView& a) {
    const BlasLayout layout = blas_layout(a).value();
    void** const pointers = run.pointers_to(a);
    run.enqueue_solver("potrfBatched", [&] {
        cusolverDnHandle_t const solver = run.handles->solver();
        if (a.type == ScalarType::float32) {
            MATGRAD_CUDA(cusolverDnSpotrfBatched(
                solver, lower_triangle(layout), as_int(a.rows), reinterpret_cast<float**>(pointers),
                as_int(layout.ld), run.memory.info, as_int(run.batch)));
        } else {
            MATGRAD_CUDA(cusolverDnDpotrfBatched(solver, lower_triangle(layout), as_int(a.rows),
                                                 reinterpret_cast<double**>(pointers),
                                                 as_int(layout.ld), run.memory.info,
                                                 as_int(run.batch)));
        }
    });
}

void call_potrf_each(StepRun& run, const DeviceView& a, std::span<std::byte> buffer,
                     std::size_t host_bytes) {
    const BlasLayout layout = blas_layout(a).value();
    const cudaDataType type = cuda_type(a.type);
    for (std::int64_t p = 0; p < run.batch; ++p) {
        run.enqueue_solver("potrf of one problem", [&] {
            MATGRAD_CUDA(cusolverDnXpotrf(
                run.handles->solver(), run.handles->solver_parameters(), lower_triangle(layout),
                a.rows, type, a.at(p, 0, 0), layout.ld, type, buffer.data(), buffer.size(),
                run.memory.host.first(host_bytes).data(), host_bytes, run.memory.info + p));
        });
    }
}

void call_getrf_batched(StepRun& run, const DeviceView& a, std::int32_t* pivots) {
    const std::int64_t ld = column_ld(a).value();
    void** const pointers = run.pointers_to(a);
    run.enqueue("getrfBatched", [&] {
        cublasHandle_t const blas = run.handles->blas();
        if (a.type == ScalarType::float32) {
            MATGRAD_CUDA(cublasSgetrfBatched(blas, as_int(a.rows),
                                             reinterpret_cast<float* const*>(pointers), as_int(ld),
                                             pivots, run.memory.info, as_int(run.batch)));
        } else {
            MATGRAD_CUDA(cublasDgetrfBatched(blas, as_int(a.rows),
                                             reinterpret_cast<double* const*>(pointers), as_int(ld),
                                             pivots, run.memory.info, as_int(run.batch)));
        }
    });
}

void call_getrf_each(StepRun& run, const DeviceView& a, std::int64_t* pivots,
                     std::span<std::byte> buffer, std::size_t host_bytes) {
    const std::int64_t ld = column_ld(a).value();
    const cudaDataType type = cuda_type(a.type);
    for (std::int64_t p = 0; p < run.batch; ++p) {
        run.enqueue_solver("getrf of one problem", [&] {
            MATGRAD_CUDA(cusolverDnXgetrf(
                run.handles->solver(), run.handles->solver_parameters(), a.rows, a.cols, type,
                a.at(p, 0, 0), ld, pivots + p * a.rows, type, buffer.data(), buffer.size(),
                run.memory.host.first(host_bytes).data(), host_bytes, run.memory.info + p));
        });
    }
}

void call_getrs_batched(StepRun& run, bool transposed, const DeviceView& lu,
                        const std::int32_t* pivots, const DeviceView& x, std::int64_t batch) {
    const auto op = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    const std::int64_t lu_ld = column_ld(lu).value();
    const std::int64_t x_ld = column_ld(x).value();
    void** const factors = run.pointers_to(lu);
    void** const sides = run.pointers_to(x);
    const char* const name = batch == 1 && run.batch > 1
                                 ? "one getrs for the right-hand sides of the batch"
                                 : "getrsBatched";
    run.enqueue(name, [&] {
        cublasHandle_t const blas = run.handles->blas();
        int info = 0;  // of the arguments, on the host
        if (x.type == ScalarType::float32) {
            MATGRAD_CUDA(cublasSgetrsBatched(
                blas, op, as_int(x.rows), as_int(x.cols),
                reinterpret_cast<const float* const*>(factors), as_int(lu_ld), pivots,
                reinterpret_cast<float* const*>(sides), as_int(x_ld), &info, as_int(batch)));
        } else {
            MATGRAD_CUDA(cublasDgetrsBatched(
                blas, op, as_int(x.rows), as_int(x.cols),
                reinterpret_cast<const double* const*>(factors), as_int(lu_ld), pivots,
                reinterpret_cast<double* const*>(sides), as_int(x_ld), &info, as_int(batch)));
        }
    });
}

void call_getrs_each(StepRun& run, bool transposed, const DeviceView& lu,
                     const std::int64_t* pivots, const DeviceView& x, std::int64_t batch) {
    const auto op = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    const std::int64_t lu_ld = column_ld(lu).value();
    const std::int64_t x_ld = column_ld(x).value();
    const cudaDataType type = cuda_type(x.type);
    for (std::int64_t p = 0; p < batch; ++p) {
        run.enqueue_solver("getrs of one problem", [&] {
            MATGRAD_CUDA(cusolverDnXgetrs(run.handles->solver(), run.handles->solver_parameters(),
                                          op, x.rows, x.cols, type, lu.at(p, 0, 0), lu_ld,
                                          pivots + p * x.rows, type, x.at(p, 0, 0), x_ld,
                                          run.memory.info + p));
        });
    }
}

}  // namespace matgrad::gpu
