#include "cpu/plain/split.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gemv.hpp"
#include "cpu/plain/lu.hpp"

namespace matgrad::detail {
namespace {

/// Rows or columns of a panel.
constexpr std::int64_t kPanel = 256;
/// Operations from which a call is split: about a millisecond.
constexpr double kSplitWork = 3e7;

/// work(i) for every i below count, on up to `threads` threads.
template <typename Work>
void for_each_panel(int threads, std::int64_t count, Work work) {
    std::atomic<std::int64_t> next{0};
    const auto take = [&] {
        for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            work(i);
        }
    };
    std::vector<std::thread> others;
    const auto helpers = std::min<std::int64_t>(threads, count) - 1;
    try {
        for (std::int64_t i = 0; i < helpers; ++i) {
            others.emplace_back(take);
        }
    } catch (const std::system_error&) {
        // No more threads to be had: those that run share the work.
    }
    take();
    for (std::thread& other : others) {
        other.join();
    }
}

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
                const View& c, Scratch& scratch) {
    const Product product(alpha, a, b, beta, c, scratch);
    if (work_of(c.rows, c.cols, a.cols) < kSplitWork) {
        return product.run();
    }
    for_each_panel(threads, product.packing_parts(), [&](std::int64_t i) { product.pack(i); });
    for_each_panel(threads, product.blocks(), [&](std::int64_t i) { product.compute(i); });
}

void split_gemv(int threads, double alpha, const View& a, const View& x, double beta,
                const View& y, Scratch& scratch) {
    const VectorProduct product(alpha, a, x, beta, y, scratch);
    for_each_panel(product.parts() == 1 ? 1 : threads, product.parts(),
                   [&](std::int64_t i) { product.compute(i); });
    product.finish();
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
