#include "cpu/plain/qr.hpp"

#include <algorithm>

#include "cpu/plain/blas.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/split.hpp"
#include "matgrad/status.hpp"

namespace matgrad::detail {
namespace {

/// Rows of the root that join the triangle of those before at once.
std::int64_t rows_at_once(std::int64_t n) {
    return std::max<std::int64_t>(2 * n, 64);
}

void clear_above_diagonal(const View& v) {
    for (std::int64_t r = 0; r + 1 < v.rows; ++r) {
        fill_matrix(block(v, r, r + 1, 1, v.cols - r - 1), 0);
    }
}

double& entry(const View& v, std::int64_t r, std::int64_t c) {
    return *reinterpret_cast<double*>(v.at(r, c));
}

}  // namespace

std::int64_t sharpen_bytes(std::int64_t n) {
    const std::int64_t matrices = (rows_at_once(n) + 2 * n) * n * size_of(ScalarType::float64);
    return align_up(matrices) + align_up(split_scratch_bytes(n)) + 3 * kAlignment;
}

bool sharpen_factor(const View& root, double scale, const View& l, Scratch& scratch) {
    const std::int64_t n = root.cols;
    const std::int64_t most = rows_at_once(n);
    const View q = scratch.matrix(ScalarType::float64, most, n, 1);
    const View gram = scratch.matrix(ScalarType::float64, n, n, 1);
    const View first = scratch.matrix(ScalarType::float64, n, n, 1);
    std::byte* work = scratch.take(split_scratch_bytes(n));
    for (std::int64_t row = 0; row < root.rows; row += most) {
        const View part = block(q, 0, 0, std::min(most, root.rows - row), n);
        copy_matrix(block(root, row, 0, part.rows, n), part);
        split_trsm({}, ScalarType::float64, Side::right, true, true, false, scale, l, part, part,
                   work);
        blas_syrk(1, transposed(part), row == 0 ? 0 : 1, gram);
    }
    const std::int32_t status = split_potrf({}, ScalarType::float64, gram, gram, work);
    clear_above_diagonal(gram);
    clear_above_diagonal(l);
    copy_matrix(l, first);
    blas_gemm(1, first, gram, 0, l);
    return succeeded(status);
}

std::int64_t root_factor_bytes(std::int64_t n) {
    const std::int64_t stacked = (n + rows_at_once(n)) * n * size_of(ScalarType::float64);
    return align_up(stacked) + align_up(blas_geqrf_bytes(n));
}

void root_factor(const View& root, const View& l, Scratch& scratch) {
    const std::int64_t n = root.cols;
    const std::int64_t most = rows_at_once(n);
    View stacked = scratch.matrix(ScalarType::float64, n + most, n, 1);
    stacked.row_stride = 1;
    stacked.col_stride = n + most;
    std::byte* work = scratch.take(blas_geqrf_bytes(n));
    std::int64_t above = 0;  // rows of the triangle so far
    for (std::int64_t row = 0; row < root.rows; row += most) {
        const std::int64_t rows = std::min(most, root.rows - row);
        copy_matrix(block(root, row, 0, rows, n), block(stacked, above, 0, rows, n));
        blas_geqrf(block(stacked, 0, 0, above + rows, n), work);
        above = n;
        for (std::int64_t c = 0; c < n; ++c) {
            for (std::int64_t r = c + 1; r < n; ++r) {
                entry(stacked, r, c) = 0;
            }
        }
    }
    for (std::int64_t r = 0; r < n; ++r) {
        const double sign = entry(stacked, r, r) < 0 ? -1 : 1;
        for (std::int64_t c = 0; c < n; ++c) {
            entry(l, c, r) = c < r ? 0 : sign * entry(stacked, r, c);
        }
    }
}

}  // namespace matgrad::detail
