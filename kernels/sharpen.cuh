#pragma once
/// \file A better Cholesky factor of a Gram matrix from its root, one problem to a block.

#include "arguments.cuh"
#include "device.cuh"
#include "place.cuh"

namespace matgrad::block {

struct RootArgs {
    Strided matrix;
    long long rows;
    double scale;
};

/// A second Cholesky factorization: of Q'Q for Q = scale * root * inv(L'), whose columns are nearly orthogonal. L
/// times that factor is the factor of the Gram matrix of a root changed by a few roundings, where the condition of
/// the root is well below 1/sqrt(u).
///
/// Who      every thread of a block of kThreads
/// Memory   q: rows*n numbers, gram: n*n, of this block alone. L is overwritten if the factorization succeeds.
/// Order    of the operations depends on the sizes alone
/// Source   Y. Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm (2015).
template <int kThreads>
struct Sharpener {
    const Strided& l;
    const RootArgs& root;
    long long problem, n;
    double* q;
    double* gram;

    MATGRAD_DEVICE double* entry(long long r, long long c) const {
        return address<double>(l, problem, r, c);
    }

    /// A row of Q to each thread.
    MATGRAD_DEVICE void orthogonalize() const {
        for (long long r = thread_index(); r < root.rows; r += kThreads) {
            double* const row = q + r * n;
            for (long long i = 0; i < n; ++i) {
                double sum = root.scale * load(address<const double>(root.matrix, problem, r, i));
                for (long long j = 0; j < i; ++j) {
                    sum -= load(entry(i, j)) * load(row + j);
                }
                store(row + i, sum / load(entry(i, i)));
            }
        }
        barrier();
    }

    /// gram = Q'Q, its lower triangle.
    MATGRAD_DEVICE void square() const {
        for (long long e = thread_index(); e < n * n; e += kThreads) {
            const long long i = e / n;
            const long long j = e % n;
            double sum = 0;
            for (long long r = 0; r < root.rows && j <= i; ++r) {
                sum += load(q + r * n + i) * load(q + r * n + j);
            }
            store(gram + e, sum);
        }
    }

    /// Returns to every thread if all pivots are positive.
    MATGRAD_DEVICE bool factor() const {
        for (long long k = 0; k < n; ++k) {
            barrier();
            const double pivot = load(gram + k * n + k);
            if (!(pivot > 0 && isfinite(pivot))) {
                return false;
            }
            barrier();
            for (long long i = k + thread_index(); i < n; i += kThreads) {
                double* const at = gram + i * n + k;
                store(at, i == k ? sqrt(pivot) : load(at) / sqrt(pivot));
            }
            barrier();
            const long long left = n - k - 1;
            for (long long e = thread_index(); e < left * left; e += kThreads) {
                const long long i = k + 1 + e / left;
                const long long j = k + 1 + e % left;
                if (j <= i) {
                    double* const at = gram + i * n + j;
                    store(at, load(at) - load(gram + i * n + k) * load(gram + j * n + k));
                }
            }
        }
        barrier();
        return true;
    }

    /// L = L * gram, a row to each thread: no entry is read after it was written.
    MATGRAD_DEVICE void multiply() const {
        for (long long i = thread_index(); i < n; i += kThreads) {
            for (long long j = 0; j <= i; ++j) {
                double sum = 0;
                for (long long k = j; k <= i; ++k) {
                    sum += load(entry(i, k)) * load(gram + k * n + j);
                }
                store(entry(i, j), sum);
            }
        }
    }

    MATGRAD_DEVICE bool operator()() const {
        orthogonalize();
        square();
        if (!factor()) {
            return false;
        }
        multiply();
        return true;
    }
};

}  // namespace matgrad::block
