#include "cuda/copy_plan.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <limits>

namespace matgrad::gpu {
namespace {

using Dimension = CopyShape::Dimension;

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

/// Entries of a group.
int group_of(const CopyShape& shape) {
    return 16 / std::max(shape.from.entry_bytes, shape.to.entry_bytes);
}

CopyShape::Side side_of(const Matrices& matrices) {
    return {static_cast<std::byte*>(matrices.data), matrices.is_double ? 8 : 4};
}

/// -1: neighbours of a column are closer, 1: those of a row, 0: they are as close, or there are none.
int closer(const Matrices& m) {
    const std::int64_t down = std::abs(m.row_stride);
    const std::int64_t across = std::abs(m.col_stride);
    if (m.rows <= 1 || m.cols <= 1 || down == across) {
        return 0;
    }
    return across < down ? 1 : -1;
}

/// Makes one dimension of two where the inner one's end is the outer one's next.
void join(Dimension& outer, Dimension& inner) {
    if (inner.count == 1) {
        std::swap(inner, outer);
    }
    if (outer.count != 1 && outer.from == inner.count * inner.from &&
        outer.to == inner.count * inner.to) {
        inner.count *= outer.count;
        outer.count = 1;
    }
}

/// Strides of the dimension of one keep a group of 16 bytes where it is.
bool keeps_groups(const Dimension& d, int group) {
    return d.count == 1 || (d.from % group == 0 && d.to % group == 0);
}

bool is_aligned(const CopyShape::Side& side, int group) {
    return reinterpret_cast<std::uintptr_t>(side.data) %
               static_cast<std::uintptr_t>(group * side.entry_bytes) ==
           0;
}

std::int64_t reach(const CopyShape& shape, std::int64_t Dimension::*stride) {
    std::int64_t sum = 0;
    for (const Dimension& d : {shape.problems, shape.lines, shape.entries}) {
        sum += (d.count - 1) * std::abs(d.*stride);
    }
    return sum;
}

block::CopySide device_side(const CopyShape& shape, const CopyShape::Side& side,
                            std::int64_t Dimension::*stride) {
    const auto step = [stride](const Dimension& d) {
        return d.count == 1 ? 0 : static_cast<int>(d.*stride);
    };
    return {side.data, step(shape.problems), step(shape.lines), step(shape.entries)};
}

}  // namespace

CopyShape copy_shape(const Matrices& from, const Matrices& to, std::int64_t batch,
                     bool keeps_problems) {
    CopyShape shape;
    shape.from = side_of(from);
    shape.to = side_of(to);
    shape.problems = {batch, from.batch_stride, to.batch_stride};
    Dimension rows{to.rows, from.row_stride, to.row_stride};
    Dimension cols{to.cols, from.col_stride, to.col_stride};
    const bool disagree = closer(from) * closer(to) < 0;
    shape.turns = disagree && std::min(rows.count, cols.count) >= block::kCopyTile;
    // A block covers the short sides of narrow matrices many times.
    const bool along_columns = shape.turns ? closer(from) < 0
                               : disagree  ? rows.count < cols.count
                                           : closer(from) + closer(to) < 0;
    shape.lines = along_columns ? cols : rows;
    shape.entries = along_columns ? rows : cols;
    if (!shape.turns) {
        join(shape.lines, shape.entries);
    }
    if (!keeps_problems) {
        join(shape.problems, shape.lines);
        join(shape.lines, shape.entries);
    }
    return shape;
}

CopyShape identity_shape(const Matrices& to, std::int64_t batch) {
    CopyShape shape;
    shape.from = shape.to = side_of(to);
    shape.problems = {batch, to.batch_stride, to.batch_stride};
    shape.lines = {to.rows, to.row_stride, to.row_stride};
    shape.entries = {to.cols, to.col_stride, to.col_stride};
    if (closer(to) < 0) {
        std::swap(shape.lines, shape.entries);
    }
    return shape;
}

CopyKernel copy_kernel(const CopyShape& shape, bool has_status) {
    if (shape.turns) {
        return CopyKernel::tiles;
    }
    const int group = group_of(shape);
    if (shape.entries.from != 1 || shape.entries.to != 1 || !is_aligned(shape.from, group) ||
        !is_aligned(shape.to, group)) {
        return CopyKernel::entries;
    }
    if (!has_status && shape.problems.count == 1 && shape.lines.count == 1) {
        return CopyKernel::flat;
    }
    return shape.entries.count % group == 0 && keeps_groups(shape.problems, group) &&
                   keeps_groups(shape.lines, group)
               ? CopyKernel::lines
               : CopyKernel::entries;
}

CopyLaunch copy_launch(const CopyShape& piece, CopyKernel kernel) {
    CopyLaunch launch;
    block::PieceArgs& args = launch.args;
    args.from = device_side(piece, piece.from, &Dimension::from);
    args.to = device_side(piece, piece.to, &Dimension::to);
    args.lines = static_cast<unsigned>(piece.lines.count);
    args.entries = static_cast<unsigned>(piece.entries.count);
    // Too far from the piece to be in it is as far as an int goes.
    constexpr std::int64_t kFar = std::numeric_limits<int>::max();
    args.diagonal = static_cast<int>(
        std::clamp<std::int64_t>(piece.lines.first - piece.entries.first, -kFar, kFar));
    std::int64_t down = piece.lines.count;
    std::int64_t across = piece.entries.count;
    std::int64_t each = block::kCopyThreads * block::kCopyEach;  // things of a block
    if (kernel == CopyKernel::tiles) {
        down = ceil_div(down, block::kCopyTile);
        across = ceil_div(across, block::kCopyTile);
        each = 1;
    } else if (kernel == CopyKernel::lines) {
        across /= group_of(piece);
        each = block::kCopyThreads * (block::kCopyGroupsEach / group_of(piece));
    } else if (kernel == CopyKernel::flat) {
        each = block::kCopyThreads * block::kCopyGroupsEach;
    }
    const std::int64_t count = piece.problems.count * down * across;
    args.per_line = divisor_of(across);
    args.per_problem = divisor_of(down * across);
    args.count = static_cast<unsigned>(count);
    launch.blocks = ceil_div(count, each);
    return launch;
}

block::Divisor divisor_of(std::int64_t divisor) {
    // With 2^(shift-1) < divisor <= 2^shift and multiplier = 2^(31+shift) / divisor + r, 0 < r <= 1,
    // a number n below 2^31 gets n*r / 2^(31+shift) < 1/divisor too much.
    int shift = 0;
    while ((std::int64_t{1} << shift) < divisor) {
        ++shift;
    }
    const std::uint64_t multiplier =
        (std::uint64_t{1} << (31 + shift)) / static_cast<std::uint64_t>(divisor) + 1;
    return {static_cast<unsigned>(divisor), static_cast<unsigned>(multiplier),
            static_cast<unsigned>(shift)};
}

bool is_piece(const CopyShape& shape, std::int64_t most) {
    return shape.count() <= most && reach(shape, &Dimension::from) <= most &&
           reach(shape, &Dimension::to) <= most;
}

CopyShape cut_half(CopyShape& shape) {
    constexpr std::int64_t kEven = 1024;  // a multiple of groups and tiles
    Dimension CopyShape::*farthest = nullptr;
    std::int64_t most = -1;
    for (const auto dimension : {&CopyShape::problems, &CopyShape::lines, &CopyShape::entries}) {
        const Dimension& d = shape.*dimension;
        const std::int64_t far =
            (d.count - 1) * std::max<std::int64_t>({std::abs(d.from), std::abs(d.to), 1});
        if (far > most) {
            most = far;
            farthest = dimension;
        }
    }
    CopyShape first = shape;
    Dimension& rest = shape.*farthest;
    std::int64_t half = rest.count / 2;
    if (half > kEven) {
        half -= half % kEven;
    }
    (first.*farthest).count = half;
    rest.count -= half;
    rest.first += half;
    shape.from.data += half * rest.from * shape.from.entry_bytes;
    shape.to.data += half * rest.to * shape.to.entry_bytes;
    return first;
}

}  // namespace matgrad::gpu
