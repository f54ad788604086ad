#pragma once
/// \file Between device memory and matrices on chip: every entry is read or written once.

#include "arguments.cuh"
#include "matrix.cuh"
#include "pack.cuh"
#include "place.cuh"
#include "team.cuh"

namespace matgrad::block {

/// So many reads of a thread are under way together.
inline constexpr int kReadsAhead = 8;

/// For i in [0, kCount), shared out to threads of rank [0, kThreads), in groups of a thread: first(j, i) for
/// all of the group, then second(j, i), with j the number in the group.
template <int kThreads, int kCount, typename First, typename Second>
MATGRAD_DEVICE void in_groups(int rank, const First& first, const Second& second) {
    constexpr int kRounds = (kCount + kThreads - 1) / kThreads;
    constexpr int kGroup = kRounds < kReadsAhead ? kRounds : kReadsAhead;
    const auto group = [&](int start) {
        MATGRAD_UNROLL
        for (int j = 0; j < kGroup; ++j) {
            if (start + j * kThreads < kCount) {
                first(j, start + j * kThreads);
            }
        }
        MATGRAD_UNROLL
        for (int j = 0; j < kGroup; ++j) {
            if (start + j * kThreads < kCount) {
                second(j, start + j * kThreads);
            }
        }
    };
    if constexpr (kThreads == 1) {
        MATGRAD_UNROLL
        for (int start = 0; start < kCount; start += kGroup) {
            group(start);
        }
    } else {
        for (int start = rank; start < kCount; start += kGroup * kThreads) {
            group(start);
        }
    }
}

template <int kThreads, int kCount>
MATGRAD_DEVICE constexpr int group_of() {
    constexpr int kRounds = (kCount + kThreads - 1) / kThreads;
    return kRounds < kReadsAhead ? (kRounds > 0 ? kRounds : 1) : kReadsAhead;
}

/// Entry number i of a matrix, along its rows, or along its columns where those are close in memory.
template <int kRows, int kCols>
MATGRAD_DEVICE EntryPlace entry_place(int i, bool by_columns) {
    constexpr int kDown = kRows > 0 ? kRows : 1;
    constexpr int kAcross = kCols > 0 ? kCols : 1;
    return by_columns ? EntryPlace{i % kDown, i / kDown} : EntryPlace{i / kAcross, i % kAcross};
}
/// Of a thread alone the order does not matter.
template <typename Team>
MATGRAD_DEVICE bool is_by_columns(const Strided& m) {
    return Team::kThreads > 1 && m.row == 1 && m.col != 1;
}

/// Are the entries of problem `problem` close together, row by row, and groups of kGroup aligned?
template <typename T, int kRows, int kCols, int kGroup>
MATGRAD_DEVICE bool is_packed(const Strided& m, long long problem) {
    if constexpr (kRows * kCols % kGroup != 0) {
        return false;
    } else {
        const auto address =
            reinterpret_cast<unsigned long long>(static_cast<const T*>(m.data) + problem * m.batch);
        return m.col == 1 && (m.row == kCols || kRows == 1) && address % (sizeof(T) * kGroup) == 0;
    }
}

/// Pack number i of a row-major matrix, in an order in which each warp takes whole pieces of rows, and rows that lie
/// in different banks of a matrix on chip whose line is one entry longer.
template <int kRows, int kCols, int kPack, int kBytes>
MATGRAD_DEVICE EntryPlace pack_place(int i) {
    constexpr int kAcross = kCols / kPack;
    const int in_warp = i % kWarp;
    const int warp = i / kWarp;
    if constexpr (kCols % kPack == 0 && kPack == 4 && kBytes == 8 && kAcross % 4 == 0 &&
                  kRows % 8 == 0) {
        // Eight rows of four: half of a warp at a time writes numbers of 8 bytes.
        return {warp / (kAcross / 4) * 8 + in_warp / 4,
                (warp % (kAcross / 4) * 4 + in_warp % 4) * kPack};
    } else if constexpr (kCols % kPack == 0 && kAcross >= 8 && kAcross % 8 == 0 && kRows % 4 == 0) {
        // Four rows of eight.
        return {warp / (kAcross / 8) * 4 + in_warp / 8,
                (warp % (kAcross / 8) * 8 + in_warp % 8) * kPack};
    } else if constexpr (kCols % kPack == 0 && kAcross == 4 && kRows % 32 == 0 && kBytes == 4) {
        // Four rows of four, and four that are 16 rows below.
        return {warp / 4 * 32 + warp % 4 * 4 + in_warp / 4 % 4 + in_warp / 16 * 16,
                in_warp % 4 * kPack};
    } else {
        return entry_place<kRows, kCols>(i * kPack, false);
    }
}

/// to = the matrix of problem `problem`, converted.
///
/// Who      every thread of a team of warps; a thread alone reads its own problem
/// Sync     `to` can be read after the team's next one
template <typename Team, typename From, typename To>
MATGRAD_DEVICE void load_matrix(const Strided& from, long long problem, const To& to) {
    constexpr int kCount = To::kCount;
    using T = typename To::Type;
    if constexpr (kCount > 0) {
        constexpr int kPack = 16 / static_cast<int>(sizeof(From));
        if (kCount >= kPack && is_packed<From, To::kRows, To::kCols, kPack>(from, problem)) {
            constexpr int kPacks = kCount / kPack;
            const From* const start = address<const From>(from, problem, 0, 0);
            const auto place = [](int i) {
                return pack_place<To::kRows, To::kCols, kPack, sizeof(T)>(i);
            };
            Pack<From, kPack> packs[group_of<Team::kThreads, kPacks>()];
            in_groups<Team::kThreads, kPacks>(
                Team::rank(),
                [&](int j, int i) {
                    const EntryPlace at = place(i);
                    packs[j] = load_pack<kPack>(start + at.row * To::kCols + at.col);
                },
                [&](int j, int i) {
                    const EntryPlace first = place(i);
                    MATGRAD_UNROLL
                    for (int e = 0; e < kPack; ++e) {
                        // A pack goes on in the next row where rows are not of whole packs.
                        const bool on = To::kCols % kPack != 0;
                        const EntryPlace at =
                            on ? entry_place<To::kRows, To::kCols>(i * kPack + e, false)
                               : EntryPlace{first.row, first.col + e};
                        to.set(at.row, at.col, static_cast<T>(packs[j].entries[e]));
                    }
                });
            return;
        }
        const bool by_columns = is_by_columns<Team>(from);
        From entries[group_of<Team::kThreads, kCount>()];
        in_groups<Team::kThreads, kCount>(
            Team::rank(),
            [&](int j, int i) {
                const EntryPlace at = entry_place<To::kRows, To::kCols>(i, by_columns);
                entries[j] = load(address<const From>(from, problem, at.row, at.col));
            },
            [&](int j, int i) {
                const EntryPlace at = entry_place<To::kRows, To::kCols>(i, by_columns);
                to.set(at.row, at.col, static_cast<T>(entries[j]));
            });
    }
}

/// The matrix of problem `problem` = from, converted; NaN where `lost`.
template <typename Team, typename To, typename From>
MATGRAD_DEVICE void store_matrix(const From& from, const Strided& to, long long problem,
                                 bool lost) {
    constexpr int kCount = From::kCount;
    if constexpr (kCount > 0) {
        const auto entry = [&](int r, int c) {
            return lost ? not_a_number<To>() : static_cast<To>(from.get(r, c));
        };
        constexpr int kPack = 16 / static_cast<int>(sizeof(To));
        if (kCount >= kPack && is_packed<To, From::kRows, From::kCols, kPack>(to, problem)) {
            To* const start = address<To>(to, problem, 0, 0);
            for_each<Team, kCount / kPack>([&](int i) {
                Pack<To, kPack> pack;
                MATGRAD_UNROLL
                for (int e = 0; e < kPack; ++e) {
                    const EntryPlace at =
                        entry_place<From::kRows, From::kCols>(i * kPack + e, false);
                    pack.entries[e] = entry(at.row, at.col);
                }
                store(reinterpret_cast<Pack<To, kPack>*>(start + i * kPack), pack);
            });
            return;
        }
        const bool by_columns = is_by_columns<Team>(to);
        for_each<Team, kCount>([&](int i) {
            const EntryPlace at = entry_place<From::kRows, From::kCols>(i, by_columns);
            store(address<To>(to, problem, at.row, at.col), entry(at.row, at.col));
        });
    }
}

/// The matrix of problem `problem` = from + beta * what is there.
template <typename Team, typename To, typename From>
MATGRAD_DEVICE void add_matrix(const From& from, double beta, const Strided& to,
                               long long problem) {
    const bool by_columns = is_by_columns<Team>(to);
    for_each<Team, From::kCount>([&](int i) {
        const EntryPlace at = entry_place<From::kRows, From::kCols>(i, by_columns);
        To* const entry = address<To>(to, problem, at.row, at.col);
        const double sum = static_cast<double>(from.get(at.row, at.col)) +
                           beta * static_cast<double>(load(static_cast<const To*>(entry)));
        store(entry, static_cast<To>(sum));
    });
}

}  // namespace matgrad::block
