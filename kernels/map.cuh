#pragma once
/// \file out = an expression of the entries of some matrices, for every entry of every problem.
///
/// Body::read reads the operands at a place, Body::value computes with them. All of a thread's reads
/// come first, so that they are under way together. `out` may be one of the operands where it is read
/// entry by entry: a thread reads all that it is to write before it writes.

#include "entrywise.cuh"
#include "failure.cuh"
#include "pack.cuh"
#include "place.cuh"

namespace matgrad::block {

template <typename Body, typename At>
MATGRAD_DEVICE typename Body::Out value_of(const typename Body::Inputs& inputs, const At& at,
                                           bool lost) {
    using Out = typename Body::Out;
    return lost ? not_a_number<Out>() : static_cast<Out>(Body::value(inputs, at));
}

/// The entries of block `block`, one by one.
///
/// Who      every thread of a block of Body::kThreads, Body::kItems entries each
template <typename Body, typename Args>
MATGRAD_DEVICE void map_entries(const Args& args, long long block) {
    constexpr int kItems = Body::kItems;
    Place<Index<Body::kRows * Body::kCols>> at[kItems];
    typename Body::Inputs inputs[kItems];
    int status[kItems];
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        at[i] = place_of<Body::kRows, Body::kCols, Body::kThreads, kItems>(args.launch, block,
                                                                           args.order, i);
        inputs[i] = {};
        status[i] = 0;
        if (at[i].inside) {
            inputs[i] = Body::read(args.from, at[i]);
            status[i] = status_of(args.status, at[i].problem);
        }
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        if (at[i].inside) {
            store(address<typename Body::Out>(args.out, at[i].problem, at[i].row, at[i].col),
                  value_of<Body>(inputs[i], at[i], loses_numbers(status[i], args.losing)));
        }
    }
}

/// Neighbours in memory. A block begins at entry `start` of problem `problem`; the group is `along`
/// entries and `problems_on` problems farther. Where problems are not of whole groups, all are one.
template <long long kCount>
struct Group {
    long long problem, start;
    int problems_on, along;

    /// From the group to where it would be if problems followed each other: 32 bits hold it.
    template <typename T>
    MATGRAD_DEVICE T* in(const Strided& matrix) const {
        T* const block = static_cast<T*>(matrix.data) + problem * matrix.batch + start;
        return block + (along + problems_on * static_cast<int>(matrix.batch - kCount));
    }
    template <typename T>
    MATGRAD_DEVICE T* scalar_in(const Strided& matrix) const {
        T* const block = static_cast<T*>(matrix.data) + problem * matrix.batch;
        return block + problems_on * static_cast<int>(matrix.batch);
    }
};

template <typename From, int kGroup, typename At>
MATGRAD_DEVICE Pack<From, kGroup> pack(const Strided& from, const At& at) {
    return load_pack<kGroup>(at.template in<const From>(from));
}
template <typename From, typename At>
MATGRAD_DEVICE From scalar(const Strided& from, const At& at) {
    return load(at.template scalar_in<const From>(from));
}

/// The group `along` entries past entry `first` of the batch.
template <typename Body>
MATGRAD_DEVICE auto group_at(long long first, int along) {
    constexpr long long kCount = Body::kRows * Body::kCols;
    if constexpr (kCount % Body::kGroup == 0 && kCount > 0) {
        const long long problem = first / kCount;
        const auto start = static_cast<Index<kCount>>(first - problem * kCount);
        const int problems_on = static_cast<int>((start + static_cast<Index<kCount>>(along)) /
                                                 static_cast<Index<kCount>>(kCount));
        return Group<kCount>{problem, start, problems_on, along};
    } else {
        return Group<0>{0, first, 0, along};
    }
}

/// The entries of block `block`, all there, in groups of Body::kGroup: an access each.
///
/// Who      every thread of a block of Body::kThreads, Body::kGroups groups each
template <typename Body, typename Args>
MATGRAD_DEVICE void map_groups(const Args& args, long long block) {
    using Out = typename Body::Out;
    constexpr int kGroups = Body::kGroups;
    const auto group = [block](int i) {
        const int along = (i * Body::kThreads + thread_index()) * Body::kGroup;
        return group_at<Body>(block * (Body::kThreads * kGroups * Body::kGroup), along);
    };
    typename Body::Packs packs[kGroups];
    int status[kGroups];
    MATGRAD_UNROLL
    for (int i = 0; i < kGroups; ++i) {
        const auto at = group(i);
        packs[i] = Body::read_packs(args.from, at);
        status[i] = status_of(args.status, at.problem + at.problems_on);
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kGroups; ++i) {
        const auto at = group(i);
        const bool lost = loses_numbers(status[i], args.losing);
        Pack<Out, Body::kGroup> out;
        MATGRAD_UNROLL
        for (int j = 0; j < Body::kGroup; ++j) {
            out.entries[j] = value_of<Body>(Body::of_packs(packs[i], j), at, lost);
        }
        store_pack(at.template in<Out>(args.out), out);
    }
}

/// Who      every thread of a block of Body::kThreads
template <typename Body, typename Args>
MATGRAD_DEVICE void map(const Args& args) {
    const long long block = block_of(args.launch);
    if constexpr (Body::kGroup == 0) {
        map_entries<Body>(args, block);
    } else {
        // A block of groups has as many entries as kBlocks blocks of single ones.
        constexpr int kBlocks = Body::kGroups * Body::kGroup / Body::kItems;
        constexpr long long kEntries =
            static_cast<long long>(Body::kThreads) * Body::kGroups * Body::kGroup;
        const bool flat = args.flat != 0;
        if (flat && (block + 1) * kEntries <= args.launch.batch * (Body::kRows * Body::kCols)) {
            map_groups<Body>(args, block);
            return;
        }
        const long long first = flat ? block * kBlocks : block;
        const int count = flat ? kBlocks : 1;
        for (int i = 0; i < count; ++i) {
            map_entries<Body>(args, first + i);
        }
    }
}

}  // namespace matgrad::block
