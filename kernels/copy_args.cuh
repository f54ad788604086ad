#pragma once
/// \file What the kernels of copy.cu are given: sizes are arguments, and 32 bits hold them.

namespace matgrad::block {

inline constexpr int kCopyThreads = 256;   ///< of a block
inline constexpr int kCopyEach = 4;        ///< entries of a thread that takes them one by one
inline constexpr int kCopyGroupsEach = 8;  ///< entries of a thread that takes them in groups
inline constexpr int kCopyTile = 32;       ///< side of a tile, one for each block

/// Divides a number below 2^31: floor(number * multiplier / 2^31 / 2^shift).
struct Divisor {
    unsigned divisor, multiplier, shift;
};

/// Strides in entries.
struct CopySide {
    void* data;
    int problem, line, entry;
};

/// Problems of `lines` lines of `entries` entries. A thing is a group, an entry or a tile.
struct PieceArgs {
    CopySide from, to;
    const int* status;  ///< null: no problem failed
    unsigned losing;    ///< kinds of failure whose problems become NaN
    unsigned lines, entries;
    unsigned count;       ///< things in all
    Divisor per_problem;  ///< things of a problem
    Divisor per_line;     ///< things of a line, of tiles: beside each other
    int diagonal;         ///< of set_identity: where entry - line is this there is a 1
};

}  // namespace matgrad::block
