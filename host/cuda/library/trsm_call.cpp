#include "cuda/library/trsm_call.hpp"

namespace matgrad::gpu {

TrsmCall make_trsm_call(Side side, bool lower, bool transposed, const DeviceView& triangle,
                        DeviceView x, std::int64_t batch) {
    TrsmCall call;
    if (batch > 1 && triangle.batch_stride == 0) {
        const auto stack = side == Side::left ? stacked_columns(x, batch) : stacked_rows(x, batch);
        if (stack && blas_layout(*stack)) {
            x = *stack;
            batch = 1;
            call.stacked = true;
        }
    }
    const BlasLayout t = blas_layout(triangle).value();
    const BlasLayout layout = blas_layout(x).value();
    // A triangle stored by rows is the transpose of the other triangle stored by columns. A solve for
    // X stored by rows is one for X' from the other side with op(T)'.
    call.left = (side == Side::left) == layout.by_columns;
    call.lower = lower == t.by_columns;
    call.transposed = transposed != (t.by_columns != layout.by_columns);
    call.m = layout.by_columns ? x.rows : x.cols;
    call.n = layout.by_columns ? x.cols : x.rows;
    call.triangle = triangle.data;
    call.triangle_ld = t.ld;
    call.triangle_stride = triangle.batch_stride;
    call.x = x.data;
    call.x_ld = layout.ld;
    call.x_stride = x.batch_stride;
    call.batch = batch;
    return call;
}

}  // namespace matgrad::gpu
