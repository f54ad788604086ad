#pragma once
/// \file What fused kernels are made of: see host/cuda/fused. One primitive to a step.

#include "entries.cuh"
#include "entrywise.cuh"
#include "factor_condition.cuh"
#include "failure.cuh"
#include "gemm.cuh"
#include "getrf.cuh"
#include "lost_results.cuh"
#include "panels.cuh"
#include "pivots.cuh"
#include "potrf.cuh"
#include "second_factor.cuh"
#include "solve.cuh"
#include "staging.cuh"
#include "transfer.cuh"
#include "trsm.cuh"

namespace matgrad::block {

/// What a problem's status is before anything of it has been factored.
template <typename Args>
MATGRAD_DEVICE int first_status(const Args& args, long long problem) {
    if (args.status != nullptr && args.status_is_new == 0) {
        return load(args.status + problem);
    }
    return args.shared_status == nullptr ? 0 : load(args.shared_status);
}

/// A factorization has found `found`, 0 where it succeeded: what came before counts for more, but for what only
/// leaves the problem out of sums.
MATGRAD_DEVICE int next_status(int status, int found) {
    return found != 0 && may_fail(status) ? found : status;
}

/// The status of a problem whose Cholesky factorization has found pivot `found`, from 1, to fail; 0 where that is 0.
template <typename Team, typename L>
MATGRAD_DEVICE int cholesky_status(int found, const L& l) {
    if (found == 0) {
        return 0;
    }
    Team::sync();
    const StatusKind kind =
        failed_on_finite(l, found) ? StatusKind::not_positive : StatusKind::not_finite;
    return static_cast<int>(kind) << detail::kStatusKindBits | found;
}

/// The same for LU.
template <typename Team, typename L>
MATGRAD_DEVICE int lu_status(int found, const L& lu) {
    if (found == 0) {
        return 0;
    }
    Team::sync();
    const StatusKind kind =
        isfinite(pivot_of(lu, found)) ? StatusKind::singular : StatusKind::not_finite;
    return static_cast<int>(kind) << detail::kStatusKindBits | found;
}

/// A matrix that has not the rank by its shape is singular, whatever roundings make of it.
MATGRAD_DEVICE int singular_by_shape(int /*found*/, int rank) {
    return static_cast<int>(StatusKind::singular) << detail::kStatusKindBits | (rank + 1);
}

/// A factor that nobody fails for is NaN where there is none. Returns `found`.
template <typename Team, typename L>
MATGRAD_DEVICE int lose_failed(int found, const L& l) {
    if (found != 0) {
        Team::sync();
        set_each<Team>(l, [](int, int) { return not_a_number<typename L::Type>(); });
    }
    return found;
}

/// The one entry of `out`, or entry i of what is one row or one column.
template <typename Team, typename Out, typename T>
MATGRAD_DEVICE void set_one(const Out& out, T value) {
    if (Team::rank() == 0) {
        out.set(0, 0, static_cast<typename Out::Type>(value));
    }
}
template <typename Out, typename T>
MATGRAD_DEVICE void set_number(const Out& out, int i, T value) {
    out.set(Out::kRows == 1 ? 0 : i, Out::kRows == 1 ? i : 0,
            static_cast<typename Out::Type>(value));
}

/// The pivots of a factorization by a library, which counts them from 1, close together.
template <typename Team, typename To>
MATGRAD_DEVICE void load_pivots(const Strided& from, const To& to) {
    for_each<Team, To::kCount>(
        [&](int i) { to.set(i, 0, load(static_cast<const int*>(from.data) + i) - 1); });
}

/// -1 where an odd number of rows were swapped with others, else 1: to every thread of the team.
template <typename Team, typename T, typename Pivots>
MATGRAD_DEVICE T sign_of_swaps(const Pivots& pivots) {
    const int odd = reduce_all<Team, Parity, int, Pivots::kCount>(
        [&](int i) { return pivots.get(i, 0) != i ? 1 : 0; });
    return odd != 0 ? T(-1) : T(1);
}

template <typename Team, typename Args>
MATGRAD_DEVICE void store_status(const Args& args, long long problem, int status) {
    if (args.status != nullptr && Team::rank() == 0) {
        store(args.status + problem, status);
    }
}

/// A result of problem `problem`, or the panel of it that is `to`: NaN where its numbers are lost, but where it is
/// added to what is there: that stays then.
template <typename Team, typename To, typename From, typename Args>
MATGRAD_DEVICE void store_result(const Args& args, int matrix, const Strided& to, long long problem,
                                 int status, const From& from) {
    const bool lost = loses_results(status, args.losing);
    const double beta = args.beta[matrix];
    if (beta == 0) {
        store_matrix<Team, To>(from, to, problem, lost);
    } else if (!lost) {
        add_matrix<Team, To>(from, beta, to, problem);
    }
}
template <typename Team, typename To, typename From, typename Args>
MATGRAD_DEVICE void store_result(const Args& args, int matrix, long long problem, int status,
                                 const From& from) {
    store_result<Team, To>(args, matrix, args.matrices[matrix], problem, status, from);
}

/// The same for the problems of a block whose threads have one each.
template <typename To, int kThreads, typename From, typename Args>
MATGRAD_DEVICE void store_own_result(const Args& args, int matrix,
                                     const BlockProblems<kThreads>& problems, unsigned char* stage,
                                     int status, const From& from) {
    const double beta = args.beta[matrix];
    if (beta == 0) {
        store_own<To>(from, args.matrices[matrix], problems, stage,
                      loses_results(status, args.losing));
    } else if (problems.has_own()) {
        store_result<ThreadTeam, To>(args, matrix, problems.own(), status, from);
    }
}

}  // namespace matgrad::block
