#pragma once
/// \file The arithmetic of the simulated libraries, in plain loops over column-major matrices.
///
/// One thread, one matrix at a time, each entry summed in one order: a result does not depend on
/// where in a batch its problem is. Zeros are multiplied like other numbers, so NaN and infinity
/// propagate.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace matgrad::simulated {

/// op(A) as an array of its own: rows x cols, column after column.
template <typename T>
struct Packed {
    std::int64_t rows = 0, cols = 0;
    std::vector<T> entries;

    [[nodiscard]] const T* column(std::int64_t j) const { return entries.data() + j * rows; }
};

template <typename T>
Packed<T> pack(const T* a, std::int64_t ld, bool transposed, std::int64_t rows, std::int64_t cols) {
    Packed<T> out{rows, cols, std::vector<T>(static_cast<std::size_t>(rows * cols))};
    T* entry = out.entries.data();
    for (std::int64_t j = 0; j < cols; ++j) {
        for (std::int64_t i = 0; i < rows; ++i) {
            *entry++ = transposed ? a[j + i * ld] : a[i + j * ld];
        }
    }
    return out;
}

/// TF32 has 10 bits of mantissa; the rest is cut off, the worst that hardware may do.
inline void cut_to_tf32(std::vector<float>& entries) {
    for (float& entry : entries) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &entry, sizeof bits);
        if (!std::isnan(entry)) {
            bits &= ~std::uint32_t{0x1FFF};
        }
        std::memcpy(&entry, &bits, sizeof bits);
    }
}

/// One column of a*b.
template <typename T>
void multiply_column(const Packed<T>& a, const T* b, std::vector<T>& out) {
    out.assign(static_cast<std::size_t>(a.rows), T(0));
    T* const to = out.data();
    for (std::int64_t l = 0; l < a.cols; ++l) {
        const T* const column = a.column(l);
        const T factor = b[l];
        for (std::int64_t i = 0; i < a.rows; ++i) {
            to[i] += column[i] * factor;
        }
    }
}

/// c = alpha * product + beta * c. With beta 0, c is not read.
template <typename T>
void add_column(T alpha, const T* product, T beta, T* c, std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
        c[i] = beta == T(0) ? alpha * product[i] : alpha * product[i] + beta * c[i];
    }
}

/// c = alpha * a * b + beta * c. With alpha 0, a and b are not looked at.
template <typename T>
void gemm(T alpha, const Packed<T>& a, const Packed<T>& b, T beta, T* c, std::int64_t ldc) {
    std::vector<T> product(static_cast<std::size_t>(a.rows), T(0));
    for (std::int64_t j = 0; j < b.cols; ++j) {
        if (alpha != T(0)) {
            multiply_column(a, b.column(j), product);
        }
        add_column(alpha, product.data(), beta, c + j * ldc, 0, a.rows);
    }
}

/// One triangle of c = alpha * a * a' + beta * c. The other is not touched.
template <typename T>
void syrk(bool lower, T alpha, const Packed<T>& a, T beta, T* c, std::int64_t ldc) {
    std::vector<T> product(static_cast<std::size_t>(a.rows), T(0));
    std::vector<T> row(static_cast<std::size_t>(a.cols));
    for (std::int64_t j = 0; j < a.rows; ++j) {
        if (alpha != T(0)) {
            for (std::int64_t l = 0; l < a.cols; ++l) {
                row[static_cast<std::size_t>(l)] = a.column(l)[j];
            }
            multiply_column(a, row.data(), product);
        }
        add_column(alpha, product.data(), beta, c + j * ldc, lower ? j : 0, lower ? a.rows : j + 1);
    }
}

/// op(T) of a triangular matrix; of what is stored only the named triangle is read, without its
/// diagonal if that is 1.
template <typename T>
struct Triangle {
    bool lower = true;  ///< after op
    bool unit = false;
    Packed<T> matrix;  ///< n x n, zeros in the other triangle
};

template <typename T>
Triangle<T> pack_triangle(const T* a, std::int64_t ld, std::int64_t n, bool stored_lower,
                          bool transposed, bool unit) {
    Triangle<T> out;
    out.lower = stored_lower != transposed;
    out.unit = unit;
    out.matrix = {n, n, std::vector<T>(static_cast<std::size_t>(n * n), T(0))};
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = stored_lower ? j : 0; i < (stored_lower ? n : j + 1); ++i) {
            const T entry = i == j && unit ? T(1) : a[i + j * ld];
            out.matrix.entries[static_cast<std::size_t>(transposed ? j + i * n : i + j * n)] =
                entry;
        }
    }
    return out;
}

/// b = alpha * op(T)^-1 b. With alpha 0, b is not read.
template <typename T>
void solve_left(const Triangle<T>& t, T alpha, T* b, std::int64_t ldb, std::int64_t cols) {
    const std::int64_t n = t.matrix.rows;
    for (std::int64_t j = 0; j < cols; ++j) {
        T* const x = b + j * ldb;
        for (std::int64_t i = 0; i < n; ++i) {
            x[i] = alpha == T(0) ? T(0) : alpha * x[i];
        }
        for (std::int64_t step = 0; step < n && alpha != T(0); ++step) {
            const std::int64_t k = t.lower ? step : n - 1 - step;
            const T* const column = t.matrix.column(k);
            x[k] = t.unit ? x[k] : x[k] / column[k];
            for (std::int64_t i = t.lower ? k + 1 : 0; i < (t.lower ? n : k); ++i) {
                x[i] -= column[i] * x[k];
            }
        }
    }
}

/// b = alpha * b op(T)^-1. With alpha 0, b is not read.
template <typename T>
void solve_right(const Triangle<T>& t, T alpha, T* b, std::int64_t ldb, std::int64_t rows) {
    const std::int64_t n = t.matrix.rows;
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < rows; ++i) {
            b[i + j * ldb] = alpha == T(0) ? T(0) : alpha * b[i + j * ldb];
        }
    }
    for (std::int64_t step = 0; step < n && alpha != T(0); ++step) {
        const std::int64_t j = t.lower ? n - 1 - step : step;
        const T* const column = t.matrix.column(j);
        for (std::int64_t l = t.lower ? j + 1 : 0; l < (t.lower ? n : j); ++l) {
            for (std::int64_t i = 0; i < rows; ++i) {
                b[i + j * ldb] -= b[i + l * ldb] * column[l];
            }
        }
        for (std::int64_t i = 0; i < rows && !t.unit; ++i) {
            b[i + j * ldb] /= column[j];
        }
    }
}

/// LU of an m x n matrix in place. Pivots are rows from 1; null: none are chosen. Returns the first
/// k (from 1) with U(k,k) exactly 0, or 0. It goes on behind a zero pivot and divides by it, as a
/// library may: NaN and infinity then stand there.
template <typename T, typename Pivot>
int getrf(std::int64_t m, std::int64_t n, T* a, std::int64_t ld, Pivot* pivots) {
    int info = 0;
    for (std::int64_t k = 0; k < (m < n ? m : n); ++k) {
        T* const column = a + k * ld;
        if (pivots != nullptr) {
            std::int64_t chosen = k;
            for (std::int64_t i = k + 1; i < m; ++i) {
                chosen = std::abs(column[i]) > std::abs(column[chosen]) ? i : chosen;
            }
            pivots[k] = static_cast<Pivot>(chosen + 1);
            for (std::int64_t j = 0; j < n && chosen != k; ++j) {
                std::swap(a[k + j * ld], a[chosen + j * ld]);
            }
        }
        if (column[k] == T(0) && info == 0) {
            info = static_cast<int>(k + 1);
        }
        for (std::int64_t i = k + 1; i < m; ++i) {
            column[i] /= column[k];
        }
        for (std::int64_t j = k + 1; j < n; ++j) {
            T* const to = a + j * ld;
            for (std::int64_t i = k + 1; i < m; ++i) {
                to[i] -= column[i] * to[k];
            }
        }
    }
    return info;
}

/// b = op(A)^-1 b from the factors. False, and nothing done, if a pivot is no row from k on.
template <typename T, typename Pivot>
[[nodiscard]] bool getrs(bool transposed, std::int64_t n, std::int64_t cols, const T* lu,
                         std::int64_t ld, const Pivot* pivots, T* b, std::int64_t ldb) {
    for (std::int64_t k = 0; pivots != nullptr && k < n; ++k) {
        if (pivots[k] < k + 1 || pivots[k] > n) {
            return false;
        }
    }
    const auto swap_rows = [&](std::int64_t k) {
        for (std::int64_t j = 0; pivots != nullptr && j < cols; ++j) {
            std::swap(b[k + j * ldb], b[pivots[k] - 1 + j * ldb]);
        }
    };
    const Triangle<T> l = pack_triangle(lu, ld, n, true, transposed, true);
    const Triangle<T> u = pack_triangle(lu, ld, n, false, transposed, false);
    if (transposed) {
        solve_left(u, T(1), b, ldb, cols);
        solve_left(l, T(1), b, ldb, cols);
        for (std::int64_t k = n - 1; k >= 0; --k) {
            swap_rows(k);
        }
    } else {
        for (std::int64_t k = 0; k < n; ++k) {
            swap_rows(k);
        }
        solve_left(l, T(1), b, ldb, cols);
        solve_left(u, T(1), b, ldb, cols);
    }
    return true;
}

/// Cholesky factor of the named triangle, in place; the other is not touched. Returns 0, or the first
/// k (from 1) whose pivot is not above 0: columns (rows, of the upper one) from k on then hold what
/// they held before. NaN is not below 0, so it goes through with 0 returned, as in LAPACK.
template <typename T>
int potrf(bool lower, std::int64_t n, T* a, std::int64_t ld) {
    const auto at = [&](std::int64_t i, std::int64_t j) -> T& {
        return lower ? a[i + j * ld] : a[j + i * ld];
    };
    std::vector<T> column(static_cast<std::size_t>(n));
    Packed<T> factor{n, n, std::vector<T>(static_cast<std::size_t>(n * n))};
    for (std::int64_t k = 0; k < n; ++k) {
        T* const c = column.data();
        for (std::int64_t i = k; i < n; ++i) {
            c[i] = at(i, k);
        }
        for (std::int64_t l = 0; l < k; ++l) {
            const T* const done = factor.column(l);
            for (std::int64_t i = k; i < n; ++i) {
                c[i] -= done[i] * done[k];
            }
        }
        if (c[k] <= T(0)) {
            return static_cast<int>(k + 1);
        }
        const T root = std::sqrt(c[k]);
        for (std::int64_t i = k; i < n; ++i) {
            const T entry = i == k ? root : c[i] / root;
            factor.entries[static_cast<std::size_t>(i + k * n)] = entry;
            at(i, k) = entry;
        }
    }
    return 0;
}

}  // namespace matgrad::simulated
