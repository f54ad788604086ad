#include "cpu/plain/split.hpp"

#include <algorithm>

#include "cpu/panels.hpp"
#include "cpu/plain/lu.hpp"

namespace matgrad::detail {
namespace {

/// Rows or columns of a panel.
constexpr std::int64_t kPanel = 256;
/// Operations from which a call is split: about a millisecond.
constexpr double kSplitWork = 3e7;

std::int64_t panels(std::int64_t size) {
    return (size + kPanel - 1) / kPanel;
}

double work_of(std::int64_t m, std::int64_t n, std::int64_t k) {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

View rows_of(const View& v, std::int64_t first, std::int64_t count) {
    return block(v, first, 0, count, v.cols);
}
View cols_of(const View& v, std::int64_t first, std::int64_t count) {
    return block(v, 0, first, v.rows, count);
}

/// Lower triangle of c = alpha a a' + beta c, beta 0 or 1.
void split_syrk_update(int threads, double alpha, const View& a, double beta, const View& c) {
    const std::int64_t count = panels(c.rows);
    // The longest panels first.
    for_each_panel(threads, count, [&](std::int64_t i) {
        const std::int64_t first = (count - 1 - i) * kPanel;
        const std::int64_t rows = std::min(kPanel, c.rows - first);
        const View left = rows_of(a, first, rows);
        if (first > 0) {
            blas_gemm(alpha, left, transposed(rows_of(a, 0, first)), beta,
                      block(c, first, 0, rows, first));
        }
        blas_syrk(alpha, left, beta, block(c, first, first, rows, rows));
    });
}

}  // namespace

void split_gemm(int threads, double alpha, const View& a, const View& b, double beta,
                const View& c) {
    if (work_of(c.rows, c.cols, a.cols) < kSplitWork) {
        return blas_gemm(alpha, a, b, beta, c);
    }
    const bool by_rows = c.rows >= c.cols;
    for_each_panel(threads, panels(by_rows ? c.rows : c.cols), [&](std::int64_t i) {
        const std::int64_t first = i * kPanel;
        if (by_rows) {
            const std::int64_t count = std::min(kPanel, c.rows - first);
            blas_gemm(alpha, rows_of(a, first, count), b, beta, rows_of(c, first, count));
        } else {
            const std::int64_t count = std::min(kPanel, c.cols - first);
            blas_gemm(alpha, a, cols_of(b, first, count), beta, cols_of(c, first, count));
        }
    });
}

void split_syrk(int threads, double alpha, const View& a, const View& c) {
    if (work_of(c.rows, c.rows, a.cols) / 2 < kSplitWork) {
        return blas_syrk(alpha, a, 0, c);
    }
    split_syrk_update(threads, alpha, a, 0, c);
}

void split_trsm(int threads, Side side, bool lower, bool transpose, bool unit, double alpha,
                const View& t, const View& x) {
    if (work_of(x.rows, x.cols, t.rows) / 2 < kSplitWork) {
        return blas_trsm(side, lower, transpose, unit, alpha, t, x);
    }
    const std::int64_t size = side == Side::left ? x.cols : x.rows;
    for_each_panel(threads, panels(size), [&](std::int64_t i) {
        const std::int64_t first = i * kPanel;
        const std::int64_t count = std::min(kPanel, size - first);
        blas_trsm(side, lower, transpose, unit, alpha, t,
                  side == Side::left ? cols_of(x, first, count) : rows_of(x, first, count));
    });
}

std::int32_t split_potrf(int threads, const View& a) {
    const std::int64_t n = a.rows;
    if (work_of(n, n, n) / 6 < kSplitWork) {
        return blas_potrf(a);
    }
    for (std::int64_t k = 0; k < n; k += kPanel) {
        const std::int64_t size = std::min(kPanel, n - k);
        const std::int64_t below = n - k - size;
        const View corner = block(a, k, k, size, size);
        const std::int32_t info = blas_potrf(corner);
        const std::int32_t bad = first_not_finite(corner, info > 0 ? info - 1 : size);
        if (info > 0 || bad > 0) {
            return static_cast<std::int32_t>(k) + (bad > 0 ? bad : info);
        }
        if (below > 0) {
            const View panel = block(a, k + size, k, below, size);
            split_trsm(threads, Side::right, true, true, false, 1, corner, panel);
            split_syrk_update(threads, -1, panel, 1, block(a, k + size, k + size, below, below));
        }
    }
    return 0;
}

}  // namespace matgrad::detail
