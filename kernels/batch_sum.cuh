#pragma once
/// \file Sums over the problems of a batch that succeeded, and their means.

#include "failure.cuh"
#include "place.cuh"
#include "reduce.cuh"

namespace matgrad::block {

/// The sum of one entry over every kSlices-th problem of [first, end). An entry of a problem that
/// failed adds 0, even if it is a NaN. `status` null: all succeeded.
template <typename From, int kSlices>
MATGRAD_DEVICE double sum_problems(const Strided& from, const int* status, long long first,
                                   long long end, long long row, long long col) {
    constexpr int kChains = 4;  // so many reads are under way together
    double chains[kChains] = {0, 0, 0, 0};
    const auto value = [&](long long p) {
        const double x = load(address<const From>(from, p, row, col));
        return has_failed(status_of(status, p)) ? 0.0 : x;
    };
    long long p = first;
    for (; p + (kChains - 1) * kSlices < end; p += kChains * kSlices) {
        MATGRAD_UNROLL
        for (int j = 0; j < kChains; ++j) {
            chains[j] += value(p + j * kSlices);
        }
    }
    for (; p < end; p += kSlices) {
        chains[0] += value(p);
    }
    return (chains[0] + chains[1]) + (chains[2] + chains[3]);
}

/// The sums of one segment of the batch, or of the sums of all segments.
///
/// Who      every thread of a block of Body::kThreads: Body::kSlices of them share an entry
/// Order    of the additions depends on args.launch.batch and args.segment_length alone
template <typename Body>
MATGRAD_DEVICE void batch_sum(const BatchSumArgs& args) {
    constexpr long long kCount = Body::kRows * Body::kCols;
    using I = Index<kCount>;
    constexpr int kSlices = Body::kSlices;
    constexpr int kEntries = Body::kThreads / kSlices;
    constexpr long long kChunks = (kCount + kEntries - 1) / kEntries;

    const auto chunk = item_at<kChunks, Index<kChunks>>(args.launch.first_block + block_index(), 0);
    const long long segment = chunk.problem;
    const int entry_in_block = thread_index() % kEntries;
    const int slice = thread_index() / kEntries;
    const I number = static_cast<I>(chunk.number) * kEntries + static_cast<I>(entry_in_block);
    const bool inside = static_cast<long long>(number) < kCount;
    constexpr I kDown = Body::kRows > 0 ? Body::kRows : 1;
    constexpr I kAcross = Body::kCols > 0 ? Body::kCols : 1;
    const bool by_columns = args.order == kByColumns;
    const long long row = by_columns ? number % kDown : number / kAcross;
    const long long col = by_columns ? number / kDown : number % kAcross;

    const long long first = segment * args.segment_length;
    const long long past = first + args.segment_length;
    const long long end = past < args.launch.batch ? past : args.launch.batch;
    double sum = 0;
    if (inside && args.of_sums != 0) {
        sum = sum_problems<double, kSlices>(args.from, nullptr, first + slice, end, row, col);
    } else if (inside) {
        sum = sum_problems<typename Body::From, kSlices>(args.from, args.status, first + slice, end,
                                                         row, col);
    }
    sum = join_slices<Sum, kSlices, kEntries>(sum, slice, entry_in_block);
    if (inside && slice == 0) {
        double* to = args.to + segment * kCount + row * Body::kCols + col;
        store(to, args.adds != 0 ? load(to) + sum : sum);
    }
}

/// Who      every thread of a block of Body::kThreads, Body::kItems problems each
template <typename Body>
MATGRAD_DEVICE void count_failed(const CountFailedArgs& args) {
    constexpr int kThreads = Body::kThreads;
    constexpr int kItems = Body::kItems;
    const long long first =
        (args.launch.first_block + block_index()) * (kThreads * kItems) + thread_index();
    int count = 0;
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        const long long p = first + i * kThreads;
        if (p < args.launch.batch) {
            count += has_failed(load(args.status + p)) ? 1 : 0;
        }
    }
    count = join_neighbours<Sum, kThreads, 1>(count);
    if (thread_index() == 0 && count != 0) {
        atomic_add(args.failed, count);
    }
}

/// Each matrix /= number of problems that succeeded.
template <typename Body>
MATGRAD_DEVICE void divide(const DivideArgs& args) {
    using T = typename Body::Type;
    const auto at = place_of<Body::kRows, Body::kCols, Body::kThreads, 1>(
        args.launch, block_of(args.launch), kByRows, 0);
    if (at.inside) {
        const double count = static_cast<double>(args.problems - load(args.failed));
        T* entry = address<T>(args.matrix, at.problem, at.row, at.col);
        store(entry, static_cast<T>(static_cast<double>(load(entry)) / count));
    }
}

}  // namespace matgrad::block
