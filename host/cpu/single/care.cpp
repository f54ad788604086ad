#include "cpu/single/care.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/condition.hpp"
#include "cpu/steps/gram_care.hpp"

namespace matgrad::detail {
namespace {

constexpr std::int32_t kMost = kMostSingleOrder;

/// Row-major, on the stack.
struct Small {
    double entries[kMost][kMost];
    double* operator[](std::int32_t row) { return entries[row]; }
    const double* operator[](std::int32_t row) const { return entries[row]; }
};

void fetch(std::byte* frame, const Placed& from, double scale, Small& to) {
    for (std::int32_t r = 0; r < from.rows; ++r) {
        for (std::int32_t c = 0; c < from.cols; ++c) {
            to[r][c] = scale * entry<double>(frame, from, r, c);
        }
    }
}

double estimate_of(const SingleStep& s, std::byte* frame) {
    const Placed& l = s.out;
    alignas(64) double work[2 * kMost];
    double estimate = 0;
    condition_estimate({frame + l.at, l.type, 1, l.rows, l.cols, l.row_stride, l.col_stride},
                       &estimate, reinterpret_cast<std::byte*>(work));
    return estimate;
}

/// The lower triangle of a becomes its Cholesky factor. False if there is none.
bool factor(Small& a, std::int32_t n) {
    for (std::int32_t j = 0; j < n; ++j) {
        if (!(a[j][j] > 0 && a[j][j] <= std::numeric_limits<double>::max())) {
            return false;
        }
        const double root = std::sqrt(a[j][j]);
        a[j][j] = root;
        for (std::int32_t r = j + 1; r < n; ++r) {
            a[r][j] /= root;
        }
        for (std::int32_t r = j + 1; r < n; ++r) {
            for (std::int32_t c = j + 1; c <= r; ++c) {
                a[r][c] -= a[r][j] * a[c][j];
            }
        }
    }
    return true;
}

/// q = q*inv(l'), a row at a time; `reciprocals` of the diagonal of l.
void solve_rows(Small& q, std::int32_t rows, const Small& l, const double* reciprocals,
                std::int32_t n) {
    for (std::int32_t r = 0; r < rows; ++r) {
        for (std::int32_t j = 0; j < n; ++j) {
            double sum = q[r][j];
            for (std::int32_t k = 0; k < j; ++k) {
                sum -= q[r][k] * l[j][k];
            }
            q[r][j] = sum * reciprocals[j];
        }
    }
}

/// The lower triangle of q'q.
void gram_of(const Small& q, std::int32_t rows, std::int32_t n, Small& gram) {
    for (std::int32_t i = 0; i < n; ++i) {
        std::fill_n(gram[i], i + 1, 0.0);
    }
    for (std::int32_t r = 0; r < rows; ++r) {
        for (std::int32_t i = 0; i < n; ++i) {
            for (std::int32_t j = 0; j <= i; ++j) {
                gram[i][j] += q[r][i] * q[r][j];
            }
        }
    }
}

/// A factor as the results of the step.
void give(const SingleStep& s, std::byte* frame, double scale, const Small& l) {
    for (std::int32_t r = 0; r < s.out.rows; ++r) {
        for (std::int32_t c = 0; c <= r; ++c) {
            entry<double>(frame, s.out, r, c) = scale * l[r][c];
        }
        entry<double>(frame, s.c, r, 0) = 1 / entry<double>(frame, s.out, r, r);
    }
}

/// The factor times that of Q'Q, Q = scale*root*inv(L'), as sharpen_factor of plain/qr.hpp. False, and nothing is
/// changed, if Q'Q has none.
bool sharpen(const SingleStep& s, std::byte* frame, double scale) {
    const std::int32_t n = s.out.rows;
    Small l;
    fetch(frame, s.out, 1, l);
    double reciprocals[kMost];
    for (std::int32_t i = 0; i < n; ++i) {
        reciprocals[i] = entry<double>(frame, s.c, i, 0);
    }
    Small q;
    fetch(frame, s.b, scale, q);
    solve_rows(q, s.b.rows, l, reciprocals, n);
    Small second;
    gram_of(q, s.b.rows, n, second);
    if (!factor(second, n)) {
        return false;
    }
    Small product;
    for (std::int32_t i = 0; i < n; ++i) {
        for (std::int32_t j = 0; j <= i; ++j) {
            double sum = 0;
            for (std::int32_t k = j; k <= i; ++k) {
                sum += l[i][k] * second[k][j];
            }
            product[i][j] = sum;
        }
    }
    give(s, frame, 1, product);
    return true;
}

/// The triangle of the QR factorization of root, transposed, with a positive diagonal: Householder's reflections
/// (Golub and Van Loan, Matrix Computations, 4th ed. 2013, sec. 5.1-5.2).
void root_triangle(Small& root, std::int32_t rows, std::int32_t n, Small& l) {
    for (std::int32_t j = 0; j < n; ++j) {
        double norm = 0;
        for (std::int32_t r = j; r < rows; ++r) {
            norm = std::hypot(norm, root[r][j]);
        }
        // The reflection takes column j to -sign*norm times a unit vector.
        const double sign = root[j][j] < 0 ? -1 : 1;
        const double head = root[j][j] + sign * norm;
        for (std::int32_t c = j + 1; c < n && norm > 0; ++c) {
            double dot = root[j][c];
            for (std::int32_t r = j + 1; r < rows; ++r) {
                dot += root[r][j] / head * root[r][c];
            }
            dot *= sign * head / norm;
            root[j][c] -= dot;
            for (std::int32_t r = j + 1; r < rows; ++r) {
                root[r][c] -= dot * (root[r][j] / head);
            }
        }
        l[j][j] = norm;
        for (std::int32_t c = j + 1; c < n; ++c) {
            l[c][j] = -sign * root[j][c];
        }
    }
}

/// In the Frobenius norm, of a lower triangle.
double condition_of(const Small& l, std::int32_t n) {
    double own = 0;
    double of_inverse = 0;
    for (std::int32_t c = 0; c < n; ++c) {
        double x[kMost];  // column c of the inverse
        for (std::int32_t r = c; r < n; ++r) {
            double sum = r == c ? 1 : 0;
            for (std::int32_t k = c; k < r; ++k) {
                sum -= l[r][k] * x[k];
            }
            x[r] = sum / l[r][r];
            of_inverse += x[r] * x[r];
            own += l[r][c] * l[r][c];
        }
    }
    return std::sqrt(own) * std::sqrt(of_inverse);
}

}  // namespace

std::int32_t take_care(const SingleStep& step, std::byte* frame, std::int32_t status) {
    const GramCare& care = *step.care;
    if (!GramCare::can_be_mended(status)) {
        return status;
    }
    if (succeeded(status)) {
        const double estimate = estimate_of(step, frame);
        if (estimate <= care.estimate ||
            (estimate <= care.far && sharpen(step, frame, care.scale))) {
            return status;
        }
    }
    Small root;
    fetch(frame, step.b, 1, root);
    Small l{};
    root_triangle(root, step.b.rows, step.b.cols, l);
    give(step, frame, care.scale, l);
    return care.status_of(condition_of(l, step.b.cols), status);
}

}  // namespace matgrad::detail
