#include "cuda/library/gemm_call.hpp"

#include <algorithm>

namespace matgrad::gpu {
namespace {

/// `reversed`: the BLAS is to see the transpose of the view.
GemmMatrix as_matrix(const DeviceView& v, bool reversed) {
    const BlasLayout layout = blas_layout(v).value();
    return {v.data, layout.by_columns == reversed, layout.ld, v.batch_stride};
}

bool same_for_all(const DeviceView& v) {
    return v.batch_stride == 0;
}

/// The rows or columns of the batch as one product, if that can be.
bool stack(DeviceView& factor, DeviceView& result, std::int64_t batch,
           std::optional<DeviceView> (*stacked)(const DeviceView&, std::int64_t)) {
    const std::optional<DeviceView> all = stacked(factor, batch);
    const std::optional<DeviceView> out = stacked(result, batch);
    if (!all || !out || !blas_layout(*all) || !blas_layout(*out)) {
        return false;
    }
    factor = *all;
    result = *out;
    return true;
}

std::optional<DeviceView> by_rows(const DeviceView& v, std::int64_t batch) {
    return stacked_rows(v, batch);
}

}  // namespace

GemmCall make_gemm_call(DeviceView a, DeviceView b, DeviceView result, std::int64_t batch) {
    GemmCall call;
    if (batch > 1 && same_for_all(b) && stack(a, result, batch, by_rows)) {
        call.stacked_rows = true;
        batch = 1;
    } else if (batch > 1 && same_for_all(a) && stack(b, result, batch, stacked_columns)) {
        call.stacked_columns = true;
        batch = 1;
    }
    call.batch = batch;
    call.k = a.cols;
    const bool by_columns = blas_layout(result).value().by_columns;
    if (by_columns) {
        call.m = result.rows;
        call.n = result.cols;
        call.first = as_matrix(a, false);
        call.second = as_matrix(b, false);
    } else {
        call.m = result.cols;
        call.n = result.rows;
        call.first = as_matrix(b, true);
        call.second = as_matrix(a, true);
    }
    call.result = as_matrix(result, !by_columns);
    return call;
}

std::optional<InnerFold> fold_inner(const DeviceView& a, const DeviceView& b, std::int64_t batch) {
    if (batch < kFewestToFold) {
        return {};
    }
    InnerFold fold;
    fold.problems = std::max(kFewestProblems, (batch + kMostSegments - 1) / kMostSegments);
    fold.segments = batch / fold.problems;
    fold.left = batch % fold.problems;
    const auto columns = stacked_columns(a, fold.problems);
    const auto rows = stacked_rows(b, fold.problems);
    if (!columns || !rows || !blas_layout(*columns) || !blas_layout(*rows)) {
        return {};
    }
    fold.a = *columns;
    fold.b = *rows;
    fold.a.batch_stride = a.batch_stride * fold.problems;
    fold.b.batch_stride = b.batch_stride * fold.problems;
    return fold;
}

InnerFold last_segment(const InnerFold& fold) {
    InnerFold last = fold;
    last.a = from_problem(fold.a, fold.segments);
    last.b = from_problem(fold.b, fold.segments);
    last.a.cols = fold.a.cols / fold.problems * fold.left;
    last.b.rows = last.a.cols;
    last.problems = fold.left;
    last.segments = 1;
    last.left = 0;
    return last;
}

}  // namespace matgrad::gpu
