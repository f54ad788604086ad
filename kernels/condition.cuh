#pragma once
/// \file The condition of lower triangles of any order, estimated, one problem to a block.

#include "arguments.cuh"
#include "failure.cuh"
#include "lost_results.cuh"
#include "place.cuh"
#include "reduce.cuh"
#include "sharpen.cuh"

namespace matgrad::block {

struct ConditionArgs {
    Launch launch;
    Strided l;
    RootArgs root;
    double* work;          ///< 2*n numbers for each problem, and those of a Sharpener
    long long work_count;  ///< of each
    int* status;
    long long n;
    double most;
    double far;  ///< up to here a factor is sharpened
    int mark;    ///< the status of a problem whose estimate is above both
};

/// The sum over all threads of the block, to all of them.
template <int kThreads>
MATGRAD_DEVICE double sum_of_block(double mine) {
    MATGRAD_SHARED(double, total, 1);
    mine = join_neighbours<Sum, kThreads, 1>(mine);
    if (thread_index() == 0) {
        total[0] = mine;
    }
    barrier();
    const double sum = total[0];
    barrier();
    return sum;
}

/// At most the condition of a triangle in the 2-norm, most often at least a third of it, by the method of the
/// CPU's condition_estimate: the norm of the inverse from two substitutions with a right-hand side that makes the
/// solution grow, that of the triangle from two products.
///
/// Who      every thread of a block of kThreads
/// Memory   reads the lower triangle alone; x and y are n numbers each, of this block alone
/// Order    of the operations depends on n alone
template <int kThreads>
struct Triangle {
    const Strided& l;
    long long problem, n;
    double* x;
    double* y;

    MATGRAD_DEVICE double entry(long long r, long long c) const {
        return load(address<const double>(l, problem, r, c));
    }

    /// The square of |inv(L') z| / |z|, where L z = b with b of ones and minus ones, each chosen so that z grows.
    MATGRAD_DEVICE double norm_of_inverse() const {
        double before = 0;
        for (long long i = 0; i < n; ++i) {
            double mine = 0;
            for (long long j = thread_index(); j < i; j += kThreads) {
                mine += entry(i, j) * load(x + j);
            }
            const double sum = sum_of_block<kThreads>(mine);
            const double solution = -(sum + copysign(1.0, sum)) / entry(i, i);
            before += solution * solution;
            if (i % kThreads == thread_index()) {  // who reads it in the next rows
                store(x + i, solution);
            }
        }
        double after = 0;
        for (long long i = n - 1; i >= 0; --i) {
            barrier();
            const double solution = load(x + i) / entry(i, i);
            after += solution * solution;
            for (long long j = thread_index(); j < i; j += kThreads) {
                store(x + j, load(x + j) - entry(i, j) * solution);
            }
        }
        barrier();
        return after / before;
    }

    /// The square of the norm of L, by two steps from the squared lengths of its columns.
    MATGRAD_DEVICE double norm() const {
        double mine = 0;
        for (long long j = thread_index(); j < n; j += kThreads) {
            double square = 0;
            for (long long i = j; i < n; ++i) {
                square += entry(i, j) * entry(i, j);
            }
            store(x + j, square);
            mine += square * square;
        }
        const double start = sum_of_block<kThreads>(mine);
        const double once = multiply();
        mine = 0;
        for (long long j = thread_index(); j < n; j += kThreads) {
            double sum = 0;
            for (long long i = j; i < n; ++i) {
                sum += entry(i, j) * load(y + i);
            }
            mine += sum * sum;
        }
        return max(once / start, sum_of_block<kThreads>(mine) / once);
    }

    /// y = L x, a row to each warp; returns its squared length.
    MATGRAD_DEVICE double multiply() const {
        constexpr int kWarps = kThreads / kWarp;
        const int lane = thread_index() % kWarp;
        double mine = 0;
        for (long long first = 0; first < n; first += kWarps) {
            const long long i = first + thread_index() / kWarp;
            double sum = 0;
            for (long long j = lane; i < n && j <= i; j += kWarp) {
                sum += entry(i, j) * load(x + j);
            }
            MATGRAD_UNROLL
            for (int half = kWarp / 2; half > 0; half /= 2) {
                sum += from_neighbour(sum, half);
            }
            if (lane == 0 && i < n) {
                store(y + i, sum);
                mine += sum * sum;
            }
        }
        return sum_of_block<kThreads>(mine);
    }
};

/// Where the estimate is not small, and the problem of the block has not failed already, its factor is sharpened, or
/// it fails.
template <int kThreads>
MATGRAD_DEVICE void mark_condition(const ConditionArgs& args) {
    const long long problem = args.launch.first_block + block_index();
    if (!may_fail(load(args.status + problem))) {
        return;
    }
    double* const work = args.work + problem * args.work_count;
    const Triangle<kThreads> triangle{args.l, problem, args.n, work, work + args.n};
    const double inverse = triangle.norm_of_inverse();
    const double estimate = sqrt(inverse * triangle.norm());
    if (estimate <= args.most) {
        return;
    }
    double* const gram = work + 2 * args.n;
    const Sharpener<kThreads> sharpen{args.l, args.root, problem, args.n, gram + args.n * args.n,
                                      gram};
    const bool is_better = estimate <= args.far && sharpen();
    if (thread_index() == 0 && !is_better) {
        store(args.status + problem, args.mark);
    }
}

}  // namespace matgrad::block
