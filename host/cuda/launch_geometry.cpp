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

/// The entries of a problem are neighbours in this order.
bool is_dense(const DeviceView& v, EntryOrder order) {
    if (order == EntryOrder::rows) {
        return (v.cols == 1 || v.col_stride == 1) && (v.rows == 1 || v.row_stride == v.cols);
    }
    return (v.rows == 1 || v.row_stride == 1) && (v.cols == 1 || v.col_stride == v.rows);
}

/// Groups of a map: where problems are of whole groups, each problem may begin anywhere that keeps
/// them aligned and that 32-bit offsets in a block reach; else all problems follow each other.
struct Groups {
    std::int64_t size, batch, count;
    std::int64_t problems_on;  ///< in a block, at most
    bool whole;

    Groups(const KernelInfo& info, std::int64_t of_batch)
        : size(info.group),
          batch(of_batch),
          count(info.rows * info.cols),
          problems_on(entries_of_block(info) / std::max<std::int64_t>(count, 1) + 1),
          whole(count % size == 0) {}

    static std::int64_t entries_of_block(const KernelInfo& info) {
        return std::int64_t{info.block} * info.groups * info.group;
    }
    [[nodiscard]] bool allow(const DeviceView& v) const {
        const auto bytes = static_cast<std::uintptr_t>(size * size_of(v.type));
        const bool follows =
            batch == 1 || (whole ? v.batch_stride % size == 0 && is_reached(v.batch_stride - count)
                                 : v.batch_stride == count);
        return follows && reinterpret_cast<std::uintptr_t>(v.data) % bytes == 0;
    }
    [[nodiscard]] bool allow_scalar(const DeviceView& v) const {
        return batch == 1 || (whole ? is_reached(v.batch_stride) : v.batch_stride == 0);
    }

private:
    /// `stride` problem after problem of a block, and the entries of the block.
    [[nodiscard]] bool is_reached(std::int64_t stride) const {
        constexpr std::int64_t kMost = std::int64_t{1} << 30;
        return std::abs(stride) <= kMost / problems_on;
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

std::optional<EntryOrder> flat_order(const KernelInfo& info, std::span<const DeviceView> operands,
                                     const DeviceView& out, std::int64_t batch, bool has_status) {
    if (info.group == 0) {
        return {};
    }
    const Groups groups(info, batch);
    if (!groups.allow(out) || (has_status && !groups.whole && batch != 1)) {
        return {};
    }
    for (const EntryOrder order : {EntryOrder::rows, EntryOrder::columns}) {
        bool flat = is_dense(out, order);
        for (std::size_t i = 0; i < operands.size(); ++i) {
            const DeviceView& v = operands[i];
            if (info.readings[i] == detail::Reading::entries) {
                flat = flat && groups.allow(v) && is_dense(v, order);
            } else if (info.readings[i] == detail::Reading::scalar) {
                flat = flat && groups.allow_scalar(v);
            }
        }
        if (flat) {
            return order;
        }
    }
    return {};
}

std::int64_t flat_blocks(const KernelInfo& info, std::int64_t batch) {
    return ceil_div(batch * info.rows * info.cols, Groups::entries_of_block(info));
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
