#include "cuda/launch_geometry.hpp"

#include <cstdlib>

namespace matgrad::gpu {
namespace {

/// Of a tile, as kTileCols in kernels/place.cuh. Narrower matrices are no trouble: a block then has
/// many rows of them, and what it reads of a line is all used.
constexpr std::int64_t kTileSide = 32;

struct Votes {
    int rows = 0, columns = 0;
    void add(const DeviceView& view) {
        const Direction direction = direction_of(view);
        rows += direction == Direction::rows ? 1 : 0;
        columns += direction == Direction::columns ? 1 : 0;
    }
};

}  // namespace

Direction direction_of(const DeviceView& view) {
    const std::int64_t down = std::abs(view.row_stride);
    const std::int64_t across = std::abs(view.col_stride);
    if (view.rows <= 1 || view.cols <= 1 || down == across) {
        return Direction::either;
    }
    return across < down ? Direction::rows : Direction::columns;
}

EntryOrder mixed_order(std::int64_t rows, std::int64_t cols) {
    if (std::min(rows, cols) >= kTileSide) {
        return EntryOrder::tiles;
    }
    return rows < cols ? EntryOrder::columns : EntryOrder::rows;
}

EntryOrder map_order(std::span<const DeviceView> operands, const DeviceView& out) {
    Votes votes;
    votes.add(out);
    for (const DeviceView& operand : operands) {
        votes.add(operand);
    }
    if (votes.rows > 0 && votes.columns > 0) {
        return mixed_order(out.rows, out.cols);
    }
    return votes.columns > 0 ? EntryOrder::columns : EntryOrder::rows;
}

EntryOrder reading_order(std::span<const DeviceView> operands) {
    Votes votes;
    for (const DeviceView& operand : operands) {
        votes.add(operand);
    }
    return votes.columns > votes.rows ? EntryOrder::columns : EntryOrder::rows;
}

std::int64_t entry_blocks(const KernelInfo& info, EntryOrder order, std::int64_t batch) {
    if (order == EntryOrder::tiles) {
        const std::int64_t tile_rows = info.block / kTileSide * info.items;
        return batch * ceil_div(info.rows, tile_rows) * ceil_div(info.cols, kTileSide);
    }
    return ceil_div(batch * info.rows * info.cols, info.block * info.items);
}

std::int64_t most_segments(std::int64_t count) {
    constexpr std::int64_t kMostSums = 1 << 16;  // then there are threads enough without segments
    constexpr std::int64_t kMost = 256;
    return std::clamp<std::int64_t>(kMostSums / std::max<std::int64_t>(count, 1), 1, kMost);
}

Segments segments_of(const KernelInfo& info, std::int64_t batch) {
    constexpr std::int64_t kProblemsEach = 16;  // of a thread, or a segment is not worth it
    const std::int64_t wanted = ceil_div(batch, info.slices * kProblemsEach);
    const std::int64_t count =
        std::clamp<std::int64_t>(wanted, 1, most_segments(info.rows * info.cols));
    const std::int64_t length = ceil_div(batch, count);
    return {length, ceil_div(batch, length)};
}

}  // namespace matgrad::gpu
