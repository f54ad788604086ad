#pragma once
/// \file The kernels of copy.cu, compiled with it by nvcc. Every thread of a block of kCopyThreads calls
/// the functions below with equal arguments.

#include "copy_args.cuh"
#include "failure.cuh"
#include "lost_results.cuh"
#include "pack.cuh"

namespace matgrad::block {

/// floor(number / divisor) for numbers below 2^31
MATGRAD_DEVICE unsigned divide(unsigned number, const Divisor& by) {
    const unsigned long long product = static_cast<unsigned long long>(number * 2) * by.multiplier;
    return static_cast<unsigned>(product >> 32) >> by.shift;
}

/// Where a thing is: those of a line come first, then its problem's other lines.
struct Thing {
    unsigned problem, line, across;
};

MATGRAD_DEVICE Thing thing_at(const PieceArgs& args, unsigned index) {
    const unsigned problem = divide(index, args.per_problem);
    const unsigned rest = index - problem * args.per_problem.divisor;
    const unsigned line = divide(rest, args.per_line);
    return {problem, line, rest - line * args.per_line.divisor};
}

/// Of an entry, in entries.
MATGRAD_DEVICE int offset_of(const CopySide& side, unsigned problem, unsigned line,
                             unsigned entry) {
    return static_cast<int>(problem) * side.problem + static_cast<int>(line) * side.line +
           static_cast<int>(entry) * side.entry;
}

/// Entries of a group.
template <typename From, typename To>
inline constexpr int kGroupOf = kPackBytes / static_cast<int>(sizeof(From) > sizeof(To)
                                                                  ? sizeof(From)
                                                                  : sizeof(To));

template <typename To, typename From, int kCount>
MATGRAD_DEVICE Pack<To, kCount> converted(const Pack<From, kCount>& from, bool lost) {
    Pack<To, kCount> to;
    MATGRAD_UNROLL
    for (int i = 0; i < kCount; ++i) {
        to.entries[i] = lost ? not_a_number<To>() : static_cast<To>(from.entries[i]);
    }
    return to;
}

/// One line of args.entries, in groups of 16 bytes of the wider type; what the last block has of it
/// one by one.
template <typename From, typename To>
MATGRAD_DEVICE void copy_flat(const PieceArgs& args) {
    constexpr int kGroup = kGroupOf<From, To>;
    constexpr int kItems = kCopyGroupsEach / kGroup;
    constexpr unsigned kOfBlock = kCopyThreads * kCopyGroupsEach;
    const unsigned first = static_cast<unsigned>(block_index()) * kOfBlock;
    const unsigned thread = static_cast<unsigned>(thread_index());
    const From* const from = static_cast<const From*>(args.from.data) + first;
    To* const to = static_cast<To*>(args.to.data) + first;
    if (args.entries - first < kOfBlock) {
        for (unsigned i = thread; i < args.entries - first; i += kCopyThreads) {
            store(to + i, static_cast<To>(load(from + i)));
        }
        return;
    }
    Pack<From, kGroup> packs[kItems];
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        packs[i] = load_pack<kGroup>(from + thread * kGroup + i * (kCopyThreads * kGroup));
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        store_pack(to + thread * kGroup + i * (kCopyThreads * kGroup),
                   converted<To>(packs[i], false));
    }
}

/// Lines of whole groups.
template <typename From, typename To>
MATGRAD_DEVICE void copy_lines(const PieceArgs& args) {
    constexpr int kGroup = kGroupOf<From, To>;
    constexpr int kItems = kCopyGroupsEach / kGroup;
    const From* const from = static_cast<const From*>(args.from.data);
    To* const to = static_cast<To*>(args.to.data);
    const unsigned first = static_cast<unsigned>(block_index()) * (kCopyThreads * kItems) +
                           static_cast<unsigned>(thread_index());
    int to_offset[kItems];
    int status[kItems];
    Pack<From, kGroup> packs[kItems];
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        const unsigned index = first + static_cast<unsigned>(i * kCopyThreads);
        const Thing at = thing_at(args, index);
        const unsigned entry = at.across * kGroup;
        to_offset[i] = 0;
        packs[i] = {};
        status[i] = 0;
        if (index < args.count) {
            to_offset[i] = offset_of(args.to, at.problem, at.line, entry);
            packs[i] = load_pack<kGroup>(from + offset_of(args.from, at.problem, at.line, entry));
            status[i] = status_of(args.status, at.problem);
        }
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kItems; ++i) {
        if (first + static_cast<unsigned>(i * kCopyThreads) < args.count) {
            store_pack(to + to_offset[i],
                       converted<To>(packs[i], loses_results(status[i], args.losing)));
        }
    }
}

template <typename From, typename To>
MATGRAD_DEVICE void copy_one_by_one(const PieceArgs& args) {
    const From* const from = static_cast<const From*>(args.from.data);
    To* const to = static_cast<To*>(args.to.data);
    const unsigned first = static_cast<unsigned>(block_index()) * (kCopyThreads * kCopyEach) +
                           static_cast<unsigned>(thread_index());
    int to_offset[kCopyEach];
    int status[kCopyEach];
    From values[kCopyEach];
    MATGRAD_UNROLL
    for (int i = 0; i < kCopyEach; ++i) {
        const unsigned index = first + static_cast<unsigned>(i * kCopyThreads);
        const Thing at = thing_at(args, index);
        to_offset[i] = 0;
        values[i] = From(0);
        status[i] = 0;
        if (index < args.count) {
            to_offset[i] = offset_of(args.to, at.problem, at.line, at.across);
            values[i] = load(from + offset_of(args.from, at.problem, at.line, at.across));
            status[i] = status_of(args.status, at.problem);
        }
    }
    MATGRAD_UNROLL
    for (int i = 0; i < kCopyEach; ++i) {
        if (first + static_cast<unsigned>(i * kCopyThreads) < args.count) {
            store(to + to_offset[i], loses_results(status[i], args.losing)
                                         ? not_a_number<To>()
                                         : static_cast<To>(values[i]));
        }
    }
}

/// Neighbours of a line are close in `from` and those of a column in `to`: a tile is read along its
/// lines and written across them, so that both go in whole lines of memory.
template <typename From, typename To>
MATGRAD_DEVICE void copy_tile(const PieceArgs& args) {
    constexpr int kStride = kCopyTile + 1;  // so that a column lies in as many banks as a line
    constexpr int kStep = kCopyThreads / kCopyTile;
    MATGRAD_SHARED(From, tile, kCopyTile * kStride);
    const From* const from = static_cast<const From*>(args.from.data);
    To* const to = static_cast<To*>(args.to.data);
    const Thing at = thing_at(args, static_cast<unsigned>(block_index()));
    const unsigned first_line = at.line * kCopyTile;
    const unsigned first_entry = at.across * kCopyTile;
    const unsigned fast = static_cast<unsigned>(thread_index()) % kCopyTile;
    const unsigned slow = static_cast<unsigned>(thread_index()) / kCopyTile;
    MATGRAD_UNROLL
    for (unsigned i = 0; i < kCopyTile; i += kStep) {
        const unsigned line = first_line + slow + i;
        const unsigned entry = first_entry + fast;
        if (line < args.lines && entry < args.entries) {
            tile[(slow + i) * kStride + fast] =
                load(from + offset_of(args.from, at.problem, line, entry));
        }
    }
    const bool lost = loses_results(status_of(args.status, at.problem), args.losing);
    barrier();
    MATGRAD_UNROLL
    for (unsigned i = 0; i < kCopyTile; i += kStep) {
        const unsigned line = first_line + fast;
        const unsigned entry = first_entry + slow + i;
        if (line < args.lines && entry < args.entries) {
            const To value = static_cast<To>(tile[fast * kStride + slow + i]);
            store(to + offset_of(args.to, at.problem, line, entry),
                  lost ? not_a_number<To>() : value);
        }
    }
}

template <typename To>
MATGRAD_DEVICE void write_identity(const PieceArgs& args) {
    To* const to = static_cast<To*>(args.to.data);
    const unsigned first = static_cast<unsigned>(block_index()) * (kCopyThreads * kCopyEach) +
                           static_cast<unsigned>(thread_index());
    MATGRAD_UNROLL
    for (int i = 0; i < kCopyEach; ++i) {
        const unsigned index = first + static_cast<unsigned>(i * kCopyThreads);
        const Thing at = thing_at(args, index);
        if (index < args.count) {
            const bool is_one =
                static_cast<int>(at.across) - static_cast<int>(at.line) == args.diagonal;
            store(to + offset_of(args.to, at.problem, at.line, at.across), is_one ? To(1) : To(0));
        }
    }
}

#define MATGRAD_COPY_KERNELS(From, To)                                            \
    MATGRAD_KERNEL(matgrad_copy_flat_##From##_##To, PieceArgs, kCopyThreads) {    \
        copy_flat<From, To>(args);                                                \
    }                                                                             \
    MATGRAD_KERNEL(matgrad_copy_lines_##From##_##To, PieceArgs, kCopyThreads) {   \
        copy_lines<From, To>(args);                                               \
    }                                                                             \
    MATGRAD_KERNEL(matgrad_copy_tiles_##From##_##To, PieceArgs, kCopyThreads) {   \
        copy_tile<From, To>(args);                                                \
    }                                                                             \
    MATGRAD_KERNEL(matgrad_copy_entries_##From##_##To, PieceArgs, kCopyThreads) { \
        copy_one_by_one<From, To>(args);                                          \
    }
MATGRAD_COPY_KERNELS(float, float)
MATGRAD_COPY_KERNELS(float, double)
MATGRAD_COPY_KERNELS(double, float)
MATGRAD_COPY_KERNELS(double, double)
#undef MATGRAD_COPY_KERNELS

MATGRAD_KERNEL(matgrad_identity_float, PieceArgs, kCopyThreads) {
    write_identity<float>(args);
}
MATGRAD_KERNEL(matgrad_identity_double, PieceArgs, kCopyThreads) {
    write_identity<double>(args);
}

}  // namespace matgrad::block
