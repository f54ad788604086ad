#pragma once
/// \file Between device memory and the threads of a block that have a problem each.
///
/// A thread that read its own matrix would leave most of each sector to its neighbours. So the block
/// reads the matrices of all its problems, neighbours by neighbouring threads, into block memory, where
/// entry e of problem p is number e * (problems + 1) + p: neighbouring threads write and read in
/// different banks. Matrices whose problems are neighbours in memory need none of this.

#include "transfer.cuh"

namespace matgrad::block {

/// The problems of a block of kThreads threads: thread t has problem first + t where that is below `end`.
template <int kThreads>
struct BlockProblems {
    long long first, end;

    MATGRAD_DEVICE long long own() const { return first + thread_index(); }
    MATGRAD_DEVICE bool has_own() const { return own() < end; }
    MATGRAD_DEVICE int count() const {
        return end - first < kThreads ? static_cast<int>(end - first) : kThreads;
    }
};

template <int kCount>
MATGRAD_DEVICE bool is_staged(const Strided& m) {
    return kCount > 1 && m.batch != 0 && m.batch != 1;
}

/// Each thread's `to` = the matrix of its problem, converted.
///
/// Who      every thread of a block of kThreads
/// Memory   stage: (kThreads + 1) * entries numbers of type From, of this block alone
/// Sync     one before the stage is written, one before it is read
template <typename From, int kThreads, typename To>
MATGRAD_DEVICE void load_own(const Strided& from, const BlockProblems<kThreads>& problems,
                             unsigned char* stage, const To& to) {
    constexpr int kCount = To::kCount;
    using T = typename To::Type;
    if constexpr (kCount > 0) {
        if (!is_staged<kCount>(from)) {
            if (problems.has_own()) {
                load_matrix<ThreadTeam, From>(from, problems.own(), to);
            }
            return;
        }
        From* const numbers = reinterpret_cast<From*>(stage);
        const bool by_columns = from.row == 1 && from.col != 1;
        const int end = problems.count() * kCount;
        const auto place = [&](int i) {
            return entry_place<To::kRows, To::kCols>(i % kCount, by_columns);
        };
        barrier();
        From entries[kReadsAhead];
        for (int start = thread_index(); start < end; start += kReadsAhead * kThreads) {
            MATGRAD_UNROLL
            for (int j = 0; j < kReadsAhead; ++j) {
                const int i = start + j * kThreads;
                if (i < end) {
                    const EntryPlace at = place(i);
                    entries[j] = load(
                        address<const From>(from, problems.first + i / kCount, at.row, at.col));
                }
            }
            MATGRAD_UNROLL
            for (int j = 0; j < kReadsAhead; ++j) {
                const int i = start + j * kThreads;
                if (i < end) {
                    const EntryPlace at = place(i);
                    store_shared(
                        numbers + (at.row * To::kCols + at.col) * (kThreads + 1) + i / kCount,
                        entries[j]);
                }
            }
        }
        barrier();
        if (problems.has_own()) {
            MATGRAD_UNROLL
            for (int e = 0; e < kCount; ++e) {
                to.set(e / To::kCols, e % To::kCols,
                       static_cast<T>(load_shared(numbers + e * (kThreads + 1) + thread_index())));
            }
        }
    }
}

/// The matrix of each thread's problem = its `from`, converted; NaN where the thread says `lost`.
///
/// Who, memory, sync    as of load_own
template <typename To, int kThreads, typename From>
MATGRAD_DEVICE void store_own(const From& from, const Strided& to,
                              const BlockProblems<kThreads>& problems, unsigned char* stage,
                              bool lost) {
    constexpr int kCount = From::kCount;
    if constexpr (kCount > 0) {
        if (!is_staged<kCount>(to)) {
            if (problems.has_own()) {
                store_matrix<ThreadTeam, To>(from, to, problems.own(), lost);
            }
            return;
        }
        To* const numbers = reinterpret_cast<To*>(stage);
        barrier();
        if (problems.has_own()) {
            MATGRAD_UNROLL
            for (int e = 0; e < kCount; ++e) {
                const To value = lost ? not_a_number<To>()
                                      : static_cast<To>(from.get(e / From::kCols, e % From::kCols));
                store_shared(numbers + e * (kThreads + 1) + thread_index(), value);
            }
        }
        barrier();
        const bool by_columns = to.row == 1 && to.col != 1;
        const int end = problems.count() * kCount;
        for (int i = thread_index(); i < end; i += kThreads) {
            const EntryPlace at = entry_place<From::kRows, From::kCols>(i % kCount, by_columns);
            store(address<To>(to, problems.first + i / kCount, at.row, at.col),
                  load_shared(static_cast<const To*>(numbers) +
                              (at.row * From::kCols + at.col) * (kThreads + 1) + i / kCount));
        }
    }
}

}  // namespace matgrad::block
