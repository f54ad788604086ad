#pragma once
/// \file Device code of the tests: one primitive of kernels/block/ in a kernel. Matrices are double in
/// device memory, row-major without gaps, problem after problem, and of type T on chip.

#include "getrf.cuh"
#include "matrix.cuh"
#include "potrf.cuh"
#include "solve.cuh"
#include "team.cuh"
#include "trsm.cuh"

namespace matgrad::block {

struct PrimitiveArgs {
    const double* a;
    const double* b;
    double* x;
    int* status;
    int* pivots;
    long long batch;
};

/// Of a kernel of this team: as many threads, as many problems a block.
template <typename Team>
inline constexpr int kBlockThreads = 128;
template <>
inline constexpr int kBlockThreads<ThreadTeam> = 32;
template <int kCount>
inline constexpr int kBlockThreads<BlockTeam<kCount>> = kCount;
template <typename Team>
inline constexpr int kTeams = kBlockThreads<Team> / Team::kThreads;

/// Rows are an odd number of entries apart.
template <typename T, int kRows, int kCols>
struct OnChip {
    static constexpr int kLine = kCols | 1;
    static constexpr int kBytes = (kRows * kLine * static_cast<int>(sizeof(T)) + 15) / 16 * 16;
    using View = Tile<T, kRows, kCols, kLine>;
};

/// The memory of a team: matrices one after the other.
template <typename Team>
struct Place {
    unsigned char* at;

    template <typename T, int kRows, int kCols>
    MATGRAD_DEVICE auto take() {
        using Memory = OnChip<T, kRows, kCols>;
        T* const data = reinterpret_cast<T*>(at);
        at += Memory::kBytes;
        return typename Memory::View{data};
    }
    /// A square matrix, by columns where kByColumns.
    template <typename T, int kOrder, bool kByColumns>
    MATGRAD_DEVICE auto take_square() {
        if constexpr (kByColumns) {
            return take<T, kOrder, kOrder>().t();
        } else {
            return take<T, kOrder, kOrder>();
        }
    }
};

template <typename Team, typename M>
MATGRAD_DEVICE void read(const M& m, const double* from) {
    in_order<Team, M::kRows>([&](int r) {
        for_each<Team, M::kCols>([&](int c) {
            m.set(r, c, static_cast<typename M::Type>(load(from + r * M::kCols + c)));
        });
    });
}
template <typename Team, typename M>
MATGRAD_DEVICE void write(const M& m, double* to) {
    in_order<Team, M::kRows>([&](int r) {
        for_each<Team, M::kCols>(
            [&](int c) { store(to + r * M::kCols + c, static_cast<double>(m.get(r, c))); });
    });
}

/// Calls function(problem, place) for the problem of this team, if there is one. kBytes: of each team.
template <typename Team, int kBytes, typename Function>
MATGRAD_DEVICE void with_problem(const PrimitiveArgs& args, const Function& function) {
    const int team = thread_index() / Team::kThreads;
    const long long problem = block_index() * kTeams<Team> + team;
    if constexpr (Team::kThreads == 1) {
        if (problem < args.batch) {
            function(problem, Place<Team>{nullptr});
        }
    } else {
        MATGRAD_BLOCK_MEMORY(memory, kBytes * kTeams<Team>);
        if (problem < args.batch) {
            function(problem, Place<Team>{memory + team * kBytes});
        }
    }
}

/// In place matrices lie by columns, else by rows.
///
/// x = the factor of a; status: the pivot that failed, negative where it is no finite number.
template <typename Team, typename C, typename A, typename L>
MATGRAD_DEVICE void factor_cholesky(const PrimitiveArgs& args, long long problem, const A& a,
                                    const L& l) {
    constexpr int kCount = A::kCount;
    read<Team>(a, args.a + problem * kCount);
    Team::sync();
    const int failed = potrf<Team, C>(a, l);
    Team::sync();
    write<Team>(l, args.x + problem * kCount);
    if (Team::rank() == Team::kThreads - 1) {
        store(args.status + problem, failed > 0 && !failed_on_finite(l, failed) ? -failed : failed);
    }
}
template <typename Team, typename C, typename T, int kOrder, bool kInPlace>
MATGRAD_DEVICE void potrf_case(const PrimitiveArgs& args) {
    with_problem<Team, (kInPlace ? 1 : 2) * OnChip<T, kOrder, kOrder>::kBytes>(
        args, [&](long long problem, Place<Team> place) {
            if constexpr (Team::kThreads == 1) {
                T memory[2][kOrder * kOrder + 1];
                const Own<T, kOrder, kOrder> a{memory[0]};
                const Own<T, kOrder, kOrder> l{memory[kInPlace ? 0 : 1]};
                factor_cholesky<Team, C>(args, problem, a, l);
            } else {
                const auto a = place.template take_square<T, kOrder, kInPlace>();
                const auto l = kInPlace ? a : place.template take_square<T, kOrder, kInPlace>();
                factor_cholesky<Team, C>(args, problem, a, l);
            }
        });
}

/// x = alpha * op(a)^-1 * b, or from the right. kCols: of b from the left, rows from the right; 0: there
/// is no b.
template <typename Team, typename C, bool kLeft, bool kLower, bool kTransposed, bool kHasB,
          typename A, typename B, typename X>
MATGRAD_DEVICE void solve_triangle(const PrimitiveArgs& args, long long problem, const A& a,
                                   const B& b, const X& x, C alpha) {
    read<Team>(a, args.a + problem * A::kCount);
    if constexpr (kHasB) {
        read<Team>(b, args.b + problem * B::kCount);
    }
    Team::sync();
    if constexpr (kHasB) {
        trsm<Team, C, kLeft, kLower, kTransposed>(alpha, a, b, x);
    } else {
        trsm_identity<Team, C, kLeft, kLower, kTransposed>(alpha, a, x);
    }
    Team::sync();
    write<Team>(x, args.x + problem * X::kCount);
}
template <typename Team, typename C, typename T, bool kLeft, bool kLower, bool kTransposed,
          int kOrder, int kCount, bool kInPlace>
MATGRAD_DEVICE void trsm_case(const PrimitiveArgs& args) {
    constexpr bool kHasB = kCount > 0;
    constexpr int kOthers = kHasB ? kCount : kOrder;
    constexpr int kRows = kLeft ? kOrder : kOthers;
    constexpr int kCols = kLeft ? kOthers : kOrder;
    constexpr int kBytes =
        OnChip<T, kOrder, kOrder>::kBytes + (kInPlace ? 1 : 2) * OnChip<T, kRows, kCols>::kBytes;
    const C alpha = kHasB ? C(-0.5) : C(1);
    with_problem<Team, kBytes>(args, [&](long long problem, Place<Team> place) {
        if constexpr (Team::kThreads == 1) {
            T triangle[kOrder * kOrder + 1];
            T sides[2][kRows * kCols + 1];
            const Own<T, kOrder, kOrder> a{triangle};
            const Own<T, kRows, kCols> b{sides[0]};
            const Own<T, kRows, kCols> x{sides[kInPlace ? 0 : 1]};
            solve_triangle<Team, C, kLeft, kLower, kTransposed, kHasB>(args, problem, a, b, x,
                                                                       alpha);
        } else {
            const auto a = place.template take_square<T, kOrder, kInPlace>();
            const auto b = place.template take<T, kRows, kCols>();
            const auto x = kInPlace ? b : place.template take<T, kRows, kCols>();
            solve_triangle<Team, C, kLeft, kLower, kTransposed, kHasB>(args, problem, a, b, x,
                                                                       alpha);
        }
    });
}

/// An LU factorization in place: x = lu, pivots from 0.
template <typename Team, typename C, bool kZeroFails, typename A, typename LU, typename Pivots>
MATGRAD_DEVICE void factor_lu(const PrimitiveArgs& args, long long problem, const A& a,
                              const LU& lu, const Pivots& pivots) {
    read<Team>(a, args.a + problem * A::kCount);
    Team::sync();
    const int failed = getrf<Team, C, kZeroFails>(a, lu, pivots);
    Team::sync();
    for_each<Team, Pivots::kRows>(
        [&](int k) { store(args.pivots + problem * Pivots::kRows + k, pivots.get(k, 0)); });
    if (Team::rank() == Team::kThreads - 1) {
        store(args.status + problem, failed);
    }
}
template <typename Team, typename C, typename T, int kOrder, bool kZeroFails, bool kInPlace>
MATGRAD_DEVICE void getrf_case(const PrimitiveArgs& args) {
    constexpr int kBytes =
        (kInPlace ? 1 : 2) * OnChip<T, kOrder, kOrder>::kBytes + OnChip<int, kOrder, 1>::kBytes;
    with_problem<Team, kBytes>(args, [&](long long problem, Place<Team> place) {
        if constexpr (Team::kThreads == 1) {
            T memory[2][kOrder * kOrder + 1];
            int chosen[kOrder + 1];
            const Own<T, kOrder, kOrder> a{memory[0]};
            const Own<T, kOrder, kOrder> lu{memory[kInPlace ? 0 : 1]};
            factor_lu<Team, C, kZeroFails>(args, problem, a, lu, Own<int, kOrder, 1>{chosen});
            write<Team>(lu, args.x + problem * kOrder * kOrder);
        } else {
            const auto a = place.template take_square<T, kOrder, kInPlace>();
            const auto lu = kInPlace ? a : place.template take_square<T, kOrder, kInPlace>();
            const auto pivots = place.template take<int, kOrder, 1>();
            factor_lu<Team, C, kZeroFails>(args, problem, a, lu, pivots);
            write<Team>(lu, args.x + problem * kOrder * kOrder);
        }
    });
}

/// The same, and then x = op(a)^-1 * b, or from the right. kCount 0: there is no b.
template <typename Team, typename C, bool kLeft, bool kTransposed, bool kHasB, typename LU,
          typename Pivots, typename B, typename X>
MATGRAD_DEVICE void solve_by_lu(const PrimitiveArgs& args, long long problem, const LU& lu,
                                const Pivots& pivots, const B& b, const X& x) {
    if constexpr (kHasB) {
        read<Team>(b, args.b + problem * B::kCount);
    }
    factor_lu<Team, C, true>(args, problem, lu, lu, pivots);
    if constexpr (kHasB) {
        lu_solve<Team, C, kLeft, kTransposed>(lu, pivots, b, x);
    } else {
        lu_inverse<Team, C, kTransposed>(lu, pivots, x);
    }
    Team::sync();
    write<Team>(x, args.x + problem * X::kCount);
}
template <typename Team, typename C, typename T, bool kLeft, bool kTransposed, int kOrder,
          int kCount, bool kInPlace>
MATGRAD_DEVICE void solve_case(const PrimitiveArgs& args) {
    constexpr bool kHasB = kCount > 0;
    constexpr int kOthers = kHasB ? kCount : kOrder;
    constexpr int kRows = kLeft ? kOrder : kOthers;
    constexpr int kCols = kLeft ? kOthers : kOrder;
    constexpr int kBytes = OnChip<T, kOrder, kOrder>::kBytes + OnChip<int, kOrder, 1>::kBytes +
                           (kInPlace ? 1 : 2) * OnChip<T, kRows, kCols>::kBytes;
    with_problem<Team, kBytes>(args, [&](long long problem, Place<Team> place) {
        if constexpr (Team::kThreads == 1) {
            T matrix[kOrder * kOrder + 1];
            int chosen[kOrder + 1];
            T sides[2][kRows * kCols + 1];
            const Own<T, kRows, kCols> b{sides[0]};
            const Own<T, kRows, kCols> x{sides[kInPlace ? 0 : 1]};
            solve_by_lu<Team, C, kLeft, kTransposed, kHasB>(
                args, problem, Own<T, kOrder, kOrder>{matrix}, Own<int, kOrder, 1>{chosen}, b, x);
        } else {
            const auto lu = place.template take_square<T, kOrder, kInPlace>();
            const auto pivots = place.template take<int, kOrder, 1>();
            const auto b = place.template take<T, kRows, kCols>();
            const auto x = kInPlace ? b : place.template take<T, kRows, kCols>();
            solve_by_lu<Team, C, kLeft, kTransposed, kHasB>(args, problem, lu, pivots, b, x);
        }
    });
}

}  // namespace matgrad::block
