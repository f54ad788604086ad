#pragma once
/// \file How the work of a kernel is shared out to blocks and threads.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "cuda/device_view.hpp"
#include "cuda/kernel_source.hpp"

namespace matgrad::gpu {

/// What one launch takes in x, the only direction in use.
inline constexpr std::int64_t kMostBlocks = (std::int64_t{1} << 31) - 1;

/// Calls launch(first, count) for blocks [0, blocks) in pieces of at most `most`.
template <typename Function>
void for_each_launch(std::int64_t blocks, std::int64_t most, Function launch) {
    for (std::int64_t first = 0; first < blocks; first += most) {
        launch(first, std::min(most, blocks - first));
    }
}

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

/// The direction in which neighbouring entries of a matrix are close in memory.
enum class Direction { either, rows, columns };
[[nodiscard]] Direction direction_of(const DeviceView& view);

/// In which order a kernel goes over the entries of a domain; as block::Order on the device.
enum class EntryOrder { rows = 0, columns = 1, tiles = 2 };

/// For a domain of rows x cols that two views disagree on: along its short sides where a block then
/// covers many of them, else in tiles.
[[nodiscard]] EntryOrder mixed_order(std::int64_t rows, std::int64_t cols);
/// For a kernel that reads `operands` and writes `out`.
[[nodiscard]] EntryOrder map_order(std::span<const DeviceView> operands, const DeviceView& out);
/// For a kernel that reads `operands` alone: by the direction of most of them.
[[nodiscard]] EntryOrder reading_order(std::span<const DeviceView> operands);

/// The order of a map whose entries lie alike, close together, in all that it reads and writes, so
/// that it goes over them in groups of info.group. None where it does not.
[[nodiscard]] std::optional<EntryOrder> flat_order(const KernelInfo& info,
                                                   std::span<const DeviceView> operands,
                                                   const DeviceView& out, std::int64_t batch,
                                                   bool has_status);
/// Blocks of such a map.
[[nodiscard]] std::int64_t flat_blocks(const KernelInfo& info, std::int64_t batch);

/// Blocks for all entries of `batch` problems in this order.
[[nodiscard]] std::int64_t entry_blocks(const KernelInfo& info, EntryOrder order,
                                        std::int64_t batch);

/// How a sum over a batch is cut into segments that are summed at once.
struct Segments {
    std::int64_t length = 0;  ///< problems in each, but for the last
    std::int64_t count = 0;
};
/// The most there are for sums of `count` entries: what scratch memory has room for.
[[nodiscard]] std::int64_t most_segments(std::int64_t count);
[[nodiscard]] Segments segments_of(const KernelInfo& info, std::int64_t batch);

}  // namespace matgrad::gpu
