// How work is shared out to launches, blocks and segments: arithmetic that no simulated GPU can run.

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "cuda/launch_geometry.hpp"

namespace matgrad::test {
namespace {

using gpu::Direction;
using gpu::EntryOrder;

std::vector<std::pair<std::int64_t, std::int64_t>> launches_of(std::int64_t blocks,
                                                               std::int64_t most) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    gpu::for_each_launch(blocks, most, [&](std::int64_t first, std::int64_t count) {
        all.emplace_back(first, count);
    });
    return all;
}

TEST(LaunchGeometry, CutsAGridThatOneLaunchDoesNotTake) {
    using Pieces = std::vector<std::pair<std::int64_t, std::int64_t>>;
    EXPECT_EQ(launches_of(0, 7), Pieces{});
    EXPECT_EQ(launches_of(7, 7), (Pieces{{0, 7}}));
    EXPECT_EQ(launches_of(15, 7), (Pieces{{0, 7}, {7, 7}, {14, 1}}));
    EXPECT_EQ(launches_of(gpu::kMostBlocks + 1, gpu::kMostBlocks),
              (Pieces{{0, 2147483647}, {2147483647, 1}}));
}

TEST(LaunchGeometry, CountsBlocksBeyondTheRangeOfInt) {
    gpu::KernelInfo info;
    info.rows = 1 << 20;
    info.cols = 1 << 20;
    info.items = 4;
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::rows, 1 << 10), std::int64_t{1} << 40);
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::tiles, 1 << 10), std::int64_t{1} << 40);
    info.rows = 33;
    info.cols = 31;
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::rows, 1), 1);       // 1023 entries
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::columns, 3), 3);    // 3069
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::tiles, 3), 3 * 2);  // 32 rows each
    info.items = 1;
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::tiles, 3), 3 * 5);  // 8 rows each
    EXPECT_EQ(gpu::entry_blocks(info, EntryOrder::rows, 0), 0);
}

gpu::DeviceView view(std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                     std::int64_t col_stride) {
    return {nullptr, ScalarType::float64, rows, cols, row_stride, col_stride, 0};
}

TEST(LaunchGeometry, GoesOverEntriesAsTheyLieInMemory) {
    const gpu::DeviceView by_rows = view(100, 50, -50, 1);
    const gpu::DeviceView by_columns = view(100, 50, 1, 100);
    const gpu::DeviceView spread = view(100, 50, 0, 0);
    EXPECT_EQ(gpu::direction_of(by_rows), Direction::rows);
    EXPECT_EQ(gpu::direction_of(by_columns), Direction::columns);
    EXPECT_EQ(gpu::direction_of(spread), Direction::either);
    EXPECT_EQ(gpu::direction_of(view(1, 50, 1, 7)), Direction::either);
    EXPECT_EQ(gpu::direction_of(view(50, 1, 7, 1)), Direction::either);

    EXPECT_EQ(gpu::map_order({&by_rows, 1}, by_rows), EntryOrder::rows);
    EXPECT_EQ(gpu::map_order({&spread, 1}, by_columns), EntryOrder::columns);
    EXPECT_EQ(gpu::map_order({&by_columns, 1}, by_rows), EntryOrder::tiles);
    EXPECT_EQ(gpu::map_order({}, spread), EntryOrder::rows);
    // A block covers the short side of a narrow matrix many times.
    EXPECT_EQ(gpu::mixed_order(5, 1000), EntryOrder::columns);
    EXPECT_EQ(gpu::mixed_order(1000, 5), EntryOrder::rows);

    const gpu::DeviceView two_to_one[] = {by_columns, by_rows, by_columns};
    EXPECT_EQ(gpu::reading_order(two_to_one), EntryOrder::columns);
    EXPECT_EQ(gpu::reading_order({two_to_one, 2}), EntryOrder::rows);
}

TEST(LaunchGeometry, SegmentsCoverABatchOnceWithinTheirScratch) {
    for (const std::int64_t count : {1, 3, 200, 70000}) {
        gpu::KernelInfo info;
        info.rows = 1;
        info.cols = count;
        for (const int slices : {1, 16, 256}) {
            info.slices = slices;
            for (const std::int64_t batch :
                 {std::int64_t{1}, std::int64_t{255}, std::int64_t{4097}, std::int64_t{1} << 33}) {
                const gpu::Segments segments = gpu::segments_of(info, batch);
                EXPECT_GE(segments.length * segments.count, batch);
                EXPECT_LT(segments.length * (segments.count - 1), batch);
                EXPECT_LE(segments.count, gpu::most_segments(count));
            }
        }
    }
    EXPECT_EQ(gpu::most_segments(0), 256);
    EXPECT_EQ(gpu::most_segments(1 << 20), 1);
}

}  // namespace
}  // namespace matgrad::test
