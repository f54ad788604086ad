#pragma once
/// \file One number per problem, row, column or diagonal, from an expression of its entries.

#include "entrywise.cuh"
#include "failure.cuh"
#include "place.cuh"

namespace matgrad::block {

struct Sum {
    template <typename T>
    MATGRAD_DEVICE static T empty() {
        return T(0);
    }
    template <typename T>
    MATGRAD_DEVICE static T join(T x, T y) {
        return x + y;
    }
};

/// NaN if any number is.
struct Max {
    template <typename T>
    MATGRAD_DEVICE static T empty() {
        return -infinity<T>();
    }
    template <typename T>
    MATGRAD_DEVICE static T join(T x, T y) {
        return isnan(x) || x > y ? x : y;
    }
};

struct Product {
    template <typename T>
    MATGRAD_DEVICE static T empty() {
        return T(1);
    }
    template <typename T>
    MATGRAD_DEVICE static T join(T x, T y) {
        return x * y;
    }
};

/// What the squares of a norm are multiplied by where their sum is out of range, and the range. Powers
/// of 2 are exact; the squares of the largest and of the smallest numbers of the type are in range then.
template <typename T>
struct NormRange {
    static constexpr T kUp = sizeof(T) == 4 ? T(0x1p100) : T(0x1p600);
    static constexpr T kLeast = sizeof(T) == 4 ? T(0x1p-103) : T(0x1p-970);  // min/eps
    static constexpr T kMost = sizeof(T) == 4 ? T(0x1.fffffep127) : T(0x1.fffffffffffffp1023);
};

/// Of squares.
struct Norm : Sum {};

template <typename Operation>
struct IsNorm {
    static constexpr bool kValue = false;
};
template <>
struct IsNorm<Norm> {
    static constexpr bool kValue = true;
};

enum Over { kOverAll, kOverRows, kOverCols, kOverDiagonal };

/// Joins `kSlices` numbers for each of the block's `kResults` results, by halves.
///
/// Who      every thread of a block of kSlices * kResults: the one with (slice, result)
/// Returns  the joined number to the threads of slice 0
/// Order    fixed, so equal numbers give equal bits
template <typename Operation, int kSlices, int kResults, typename T>
MATGRAD_DEVICE T join_slices(T mine, int slice, int result) {
    if constexpr (kSlices > 1) {
        MATGRAD_SHARED(T, parts, kSlices * kResults);
        parts[slice * kResults + result] = mine;
        for (int half = kSlices / 2; half > 0; half /= 2) {
            barrier();
            if (slice < half) {
                mine = Operation::join(mine, parts[(slice + half) * kResults + result]);
                parts[slice * kResults + result] = mine;
            }
        }
    }
    return mine;
}

/// The same where the slices of a result are neighbouring threads, the first a multiple of kSlices:
/// those of a warp join by halves, then warp after warp.
template <typename Operation, int kSlices, int kResults, typename T>
MATGRAD_DEVICE T join_neighbours(T mine) {
    constexpr int kInWarp = kSlices < kWarp ? kSlices : kWarp;
    MATGRAD_UNROLL
    for (int half = kInWarp / 2; half > 0; half /= 2) {
        mine = Operation::join(mine, from_neighbour(mine, half));
    }
    if constexpr (kSlices > kWarp) {
        MATGRAD_SHARED(T, of_warps, kSlices * kResults / kWarp);
        const int warp = thread_index() / kWarp;
        if (thread_index() % kWarp == 0) {
            of_warps[warp] = mine;
        }
        barrier();
        if (thread_index() % kSlices == 0) {
            MATGRAD_UNROLL
            for (int i = 1; i < kSlices / kWarp; ++i) {
                mine = Operation::join(mine, of_warps[warp + i]);
            }
        }
    }
    return mine;
}

/// The entry number `i` of what one result is made of.
template <typename Body, typename I>
MATGRAD_DEVICE Place<I> place_in_domain(const Item<I>& result, I i, int order) {
    if constexpr (Body::kOver == kOverRows) {
        return {result.problem, result.number, i, true};
    } else if constexpr (Body::kOver == kOverCols) {
        return {result.problem, i, result.number, true};
    } else if constexpr (Body::kOver == kOverDiagonal) {
        return {result.problem, i, i, true};
    } else if (order == kByColumns) {
        constexpr I kDown = Body::kRows > 0 ? Body::kRows : 1;
        return {result.problem, i % kDown, i / kDown, true};
    } else {
        constexpr I kAcross = Body::kCols > 0 ? Body::kCols : 1;
        return {result.problem, i / kAcross, i % kAcross, true};
    }
}

/// Has this thread's share of the swaps an odd number of true ones? Pivots count from 1.
template <int kSlices, typename I>
MATGRAD_DEVICE bool odd_swaps(const int* pivots, I count, I slice) {
    bool odd = false;
    for (I k = slice; k < count; k += kSlices) {
        odd = odd != (load(pivots + k) != static_cast<int>(k) + 1);
    }
    return odd;
}

/// The norm whose sum of squares is `squares`. Where that is out of range for any result of the block,
/// all threads square the entries again, scaled, and the result takes it.
///
/// Who      every thread of the block; `mine` is true of those that hold a result
template <typename T, typename Squares>
MATGRAD_DEVICE T norm_of_squares(T squares, bool mine, const Squares& joined) {
    using Range = NormRange<T>;
    MATGRAD_SHARED(int, wanted, 2);
    if (thread_index() < 2) {
        wanted[thread_index()] = 0;
    }
    barrier();
    const bool large = mine && squares > Range::kMost;
    const bool small = mine && squares < Range::kLeast;
    if (large) {
        wanted[0] = 1;
    }
    if (small) {
        wanted[1] = 1;
    }
    barrier();
    const bool any_large = wanted[0] != 0;
    const bool any_small = wanted[1] != 0;
    T root = sqrt(squares);
    if (any_large) {
        const T again = sqrt(joined(T(1) / Range::kUp)) * Range::kUp;
        root = large ? again : root;
        barrier();
    }
    if (any_small) {
        const T again = sqrt(joined(Range::kUp)) / Range::kUp;
        root = small ? again : root;
    }
    return root;
}

/// Who      every thread of a block of Body::kThreads; Body::kSlices of them share a result
/// Order    of the operations depends on sizes and args.order alone
///
/// A thread takes every kSlices-th entry, in Body::kChains chains at a time.
template <typename Body, typename Args>
MATGRAD_DEVICE void reduce(const Args& args) {
    using T = typename Body::Type;
    using Operation = typename Body::Operation;
    constexpr long long kEntries = Body::kRows * Body::kCols;
    using I = Index<(kEntries > Body::kOutputs ? kEntries : Body::kOutputs)>;
    constexpr int kSlices = Body::kSlices;
    constexpr int kResults = Body::kThreads / kSlices;
    constexpr int kChains = Body::kChains;
    constexpr I kLength = Body::kLength;

    // Neighbouring threads take neighbours in memory: of one result's entries, or of the results.
    const bool results_first = (Body::kOver == kOverRows && args.order == kByColumns) ||
                               (Body::kOver == kOverCols && args.order == kByRows);
    const int thread = thread_index();
    const int result = results_first ? thread % kResults : thread / kSlices;
    const int slice = results_first ? thread / kResults : thread % kSlices;
    const Item<I> item = item_at<Body::kOutputs, I>(block_of(args.launch) * kResults, result);
    const bool inside = item.problem < args.launch.batch;

    // The numbers of this thread's slice, joined with those of the result's other slices.
    const auto joined = [&](T factor) {
        T chains[kChains];
        MATGRAD_UNROLL
        for (int j = 0; j < kChains; ++j) {
            chains[j] = Operation::template empty<T>();
        }
        if (inside) {
            const auto value = [&](I i) {
                const Place<I> at = place_in_domain<Body>(item, i, args.order);
                const T x = Body::value(Body::read(args.from, at), at);
                if constexpr (IsNorm<Operation>::kValue) {
                    return factor * x * (factor * x);
                } else {
                    return x;
                }
            };
            I i = static_cast<I>(slice);
            if constexpr (kLength >= kChains * kSlices) {
                for (; i + (kChains - 1) * kSlices < kLength; i += kChains * kSlices) {
                    MATGRAD_UNROLL
                    for (int j = 0; j < kChains; ++j) {
                        chains[j] =
                            Operation::join(chains[j], value(i + static_cast<I>(j * kSlices)));
                    }
                }
            }
            if constexpr (kLength > 0) {
                for (; i < kLength; i += kSlices) {
                    chains[0] = Operation::join(chains[0], value(i));
                }
            }
        }
        T total = chains[0];
        MATGRAD_UNROLL
        for (int j = 1; j < kChains; ++j) {
            total = Operation::join(total, chains[j]);
        }
        if constexpr (Body::kSigned) {
            const int* pivots = args.pivots + item.problem * static_cast<long long>(kLength);
            if (inside && odd_swaps<kSlices>(pivots, kLength, static_cast<I>(slice))) {
                total = -total;
            }
        }
        return results_first ? join_slices<Operation, kSlices, kResults>(total, slice, result)
                             : join_neighbours<Operation, kSlices, kResults>(total);
    };
    T total = joined(T(1));
    if constexpr (IsNorm<Operation>::kValue) {
        total = norm_of_squares(total, inside && slice == 0, joined);
    }
    if (inside && slice == 0) {
        using Out = typename Body::Out;
        const bool lost = loses_numbers(status_of(args.status, item.problem), args.losing);
        store(address<Out>(args.out, item.problem, item.number, 0),
              lost ? not_a_number<Out>() : static_cast<Out>(Body::scaled(total)));
    }
}

}  // namespace matgrad::block
