#pragma once
/// \file out = an expression of the entries of some matrices, for every entry of every problem.

#include "entrywise.cuh"
#include "place.cuh"

namespace matgrad::block {

/// Who      every thread of a block of Body::kThreads, Body::kItems entries each
/// Memory   `out` may be one of the operands where it is read entry by entry: a thread reads all
///          that it is to write before it writes.
///
/// Body::read reads the operands at a place, Body::value computes with them. All of a thread's
/// reads come first, so that they are under way together.
template <typename Body, typename At>
MATGRAD_DEVICE void store_value(const Strided& out, const typename Body::Inputs& inputs,
                                const At& at) {
    using Out = typename Body::Out;
    store(address<Out>(out, at.problem, at.row, at.col), static_cast<Out>(Body::value(inputs, at)));
}

template <typename Body, typename Args>
MATGRAD_DEVICE void map(const Args& args) {
    constexpr int kItems = Body::kItems;
    const auto place = [&args](int i) {
        return place_of<Body::kRows, Body::kCols, Body::kThreads, kItems>(args.launch, args.order,
                                                                          i);
    };
    if constexpr (kItems == 1) {
        const auto at = place(0);
        if (at.inside) {
            store_value<Body>(args.out, Body::read(args.from, at), at);
        }
    } else {
        Place<Index<Body::kRows * Body::kCols>> at[kItems];
        typename Body::Inputs inputs[kItems];
        MATGRAD_UNROLL
        for (int i = 0; i < kItems; ++i) {
            at[i] = place(i);
            inputs[i] = {};
            if (at[i].inside) {
                inputs[i] = Body::read(args.from, at[i]);
            }
        }
        MATGRAD_UNROLL
        for (int i = 0; i < kItems; ++i) {
            if (at[i].inside) {
                store_value<Body>(args.out, inputs[i], at[i]);
            }
        }
    }
}

}  // namespace matgrad::block
