#include "cpu/plain/split.hpp"

#include <algorithm>

#include "cpu/pivot_status.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gemv.hpp"
#include "cpu/plain/gram.hpp"
#include "cpu/plain/triangle.hpp"
#include "executor/workers.hpp"

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

/// In panels of rows or columns, by whichever there are more of.
void split_large_gemm(const Threads& threads, double alpha, const View& a, const View& b,
                      double beta, const View& c) {
    const bool by_rows = c.rows >= c.cols;
    for_each_index(threads, panels(by_rows ? c.rows : c.cols), [&](std::int64_t i) {
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

/// Lower triangle of c = alpha a a' + beta c, beta 0 or 1.
void split_syrk_update(const Threads& threads, double alpha, const View& a, double beta,
                       const View& c) {
    const std::int64_t count = panels(c.rows);
    // The longest panels first.
    const bool small = work_of(c.rows, c.rows, a.cols) / 2 < kSplitWork;
    for_each_index(small ? Threads{} : threads, count, [&](std::int64_t i) {
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

/// S X = B with S triangular, of any order. By rows: X and B are the transposes of what is stored,
/// which concerns a BLAS alone.
struct System {
    ScalarType type;
    View s;
    bool lower, unit, by_rows;

    [[nodiscard]] std::int64_t blocks() const { return (s.rows + kTriangle - 1) / kTriangle; }
    [[nodiscard]] std::int64_t first(std::int64_t b) const { return b * kTriangle; }
    [[nodiscard]] std::int64_t rows(std::int64_t b) const {
        return std::min(kTriangle, s.rows - first(b));
    }

    void pack(std::int64_t b, std::byte* packed) const {
        const View corner = block(s, first(b), first(b), rows(b), rows(b));
        pack_triangle(type, lower ? corner : reversed(corner), unit, packed);
    }
    /// One block of rows, by itself.
    void solve(const std::byte* packed, double alpha, const View& from, const View& to) const {
        solve_packed(type, packed, alpha, lower ? from : reversed_rows(from),
                     lower ? to : reversed_rows(to));
    }
    /// What block b adds to the rows that are still to be solved, which are scaled by beta.
    void update(std::int64_t b, double beta, const View& x) const {
        const std::int64_t begin = lower ? first(b) + rows(b) : 0;
        const std::int64_t end = lower ? s.rows : first(b);
        if (begin == end) {
            return;
        }
        const View factor = block(s, begin, first(b), end - begin, rows(b));
        const View known = rows_of(x, first(b), rows(b));
        const View rest = rows_of(x, begin, end - begin);
        if (by_rows) {
            blas_gemm(-1, transposed(known), transposed(factor), beta, transposed(rest));
        } else {
            blas_gemm(-1, factor, known, beta, rest);
        }
    }
    void solve_all(const std::byte* packed, double alpha, const View& x) const {
        for (std::int64_t i = 0; i < blocks(); ++i) {
            const std::int64_t b = lower ? i : blocks() - 1 - i;
            const View mine = rows_of(x, first(b), rows(b));
            const double scale = i == 0 ? alpha : 1;
            solve(packed + b * packed_triangle_bytes(kTriangle), scale, mine, mine);
            update(b, scale, x);
        }
    }
};

}  // namespace

void split_gemm(const Threads& threads, double alpha, const View& a, const View& b, double beta,
                const View& c, Scratch& scratch) {
    if (std::min({c.rows, c.cols, a.cols}) >= kBlasSize && blas_readable(a) && blas_readable(b)) {
        return split_large_gemm(threads, alpha, a, b, beta, c);
    }
    const Product product(alpha, a, b, beta, c, scratch);
    if (work_of(c.rows, c.cols, a.cols) < kSplitWork) {
        return product.run();
    }
    for_each_index(threads, product.packing_parts(), [&](std::int64_t i) { product.pack(i); });
    for_each_index(threads, product.blocks(), [&](std::int64_t i) { product.compute(i); });
}

void split_gemv(const Threads& threads, double alpha, const View& a, const View& x, double beta,
                const View& y, Scratch& scratch) {
    const VectorProduct product(alpha, a, x, beta, y, scratch);
    for_each_index(product.parts() == 1 ? Threads{} : threads, product.parts(),
                   [&](std::int64_t i) { product.compute(i); });
    product.finish();
}

void split_syrk(const Threads& threads, ScalarType type, double alpha, const View& a, bool mirror,
                const View& c, std::byte* scratch) {
    const bool small = work_of(c.rows, c.rows, a.cols) / 2 < kSplitWork;
    if (is_middle_gram(c.rows)) {
        for_each_index(small ? Threads{} : threads, gram_chunks(c.rows, a.cols),
                       [&](std::int64_t i) { gram_chunk(type, a, i, scratch); });
        return gram_sum(type, alpha, a.cols, scratch, mirror, c);
    }
    if (small) {
        blas_syrk(alpha, a, 0, c);
    } else {
        split_syrk_update(threads, alpha, a, 0, c);
    }
    if (mirror) {
        mirror_lower(c);
    }
}

std::int64_t split_scratch_bytes(std::int64_t n) {
    return n <= kTriangle ? packed_triangle_bytes(n)
                          : (n + kTriangle - 1) / kTriangle * packed_triangle_bytes(kTriangle);
}

void split_trsm(const Threads& threads, ScalarType type, Side side, bool lower, bool transpose,
                bool unit, double alpha, const View& t, const View& from, const View& to,
                std::byte* scratch) {
    // From the right, X op(T) = B is op(T)' X' = B'.
    const bool left = side == Side::left;
    const bool turned = transpose == left;
    const System system{type, turned ? transposed(t) : t, lower != turned, unit, !left};
    const View b = left ? from : transposed(from);
    const View x = left ? to : transposed(to);
    for (std::int64_t i = 0; i < system.blocks(); ++i) {
        system.pack(i, scratch + i * packed_triangle_bytes(kTriangle));
    }
    const bool small = work_of(x.rows, x.cols, t.rows) / 2 < kSplitWork;
    const std::int64_t group = small ? x.cols : kPanel / kRightSides * kRightSides;
    for_each_index(threads, (x.cols + group - 1) / group, [&](std::int64_t i) {
        const std::int64_t first = i * group;
        const std::int64_t count = std::min(group, x.cols - first);
        if (system.blocks() == 1) {
            system.solve(scratch, alpha, cols_of(b, first, count), cols_of(x, first, count));
        } else {
            system.solve_all(scratch, alpha, cols_of(x, first, count));
        }
    });
}

std::int32_t split_potrf(const Threads& threads, ScalarType type, const View& from, const View& to,
                         std::byte* scratch) {
    const std::int64_t n = from.rows;
    if (n <= kTriangle) {
        return factor_lower(type, from, to, scratch);
    }
    for (std::int64_t k = 0; k < n; k += kTriangle) {
        const std::int64_t size = std::min(kTriangle, n - k);
        const std::int64_t below = n - k - size;
        const View corner = block(to, k, k, size, size);
        const std::int32_t bad = factor_lower(type, corner, corner, scratch);
        if (bad != 0) {
            return status_behind(k, bad);
        }
        if (below > 0) {
            const View panel = block(to, k + size, k, below, size);
            split_trsm(threads, type, Side::right, true, true, false, 1, corner, panel, panel,
                       scratch);
            split_syrk_update(threads, -1, panel, 1, block(to, k + size, k + size, below, below));
        }
    }
    return 0;
}

}  // namespace matgrad::detail
